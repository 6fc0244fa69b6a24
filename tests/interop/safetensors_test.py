"""Files that the real safetensors library wrote, and what keyshift makes of them, read by the real library."""

import json
import random
import struct

import safetensors
import safetensors.torch
import tensors
import torch
from program import Case, keyshift, keyshift_json

TORCH_DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.int64,
    torch.uint64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.float8_e4m3fn,
    torch.float8_e5m2, torch.float8_e8m0fnu, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz,
]  # fmt: skip


def random_tensor(dtype: torch.dtype, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    count = int(torch.tensor(shape).prod()) if shape else 1
    size = torch.empty(0, dtype=dtype).element_size()
    limit = 2 if dtype == torch.bool else 256
    raw = torch.randint(0, limit, (count * size,), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return raw.view(dtype).reshape(shape)


def with_header(header: dict, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class OneFile(Case):
    def convert(self, source, *options):
        out = self.folder / "out.safetensors"
        keyshift("convert", source, out, *options)
        keyshift("verify", source, out, *options)
        return out

    def test_tensors_of_every_dtype_that_torch_writes_come_through_to_the_last_bit(self):
        source = self.folder / "in.safetensors"
        state = {f"old.{str(d).removeprefix('torch.')}": random_tensor(d, (3, 5), i) for i, d in enumerate(TORCH_DTYPES)}
        safetensors.torch.save_file(state, source, metadata={"format": "pt"})
        out = self.convert(source, "--rename", r"^old\.=>new.")
        expected = {key.replace("old.", "new."): value for key, value in tensors.of_state_dict(state).items()}
        self.assertEqual(tensors.of_file(out), expected)

    def test_all_22_dtypes_of_the_format_come_through_to_the_last_bit(self):
        bits = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6} | dict.fromkeys(
            ["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"], 8
        ) | dict.fromkeys(["I16", "U16", "F16", "BF16"], 16) | dict.fromkeys(["I32", "U32", "F32"], 32) | dict.fromkeys(
            ["C64", "F64", "I64", "U64"], 64
        )  # fmt: skip
        header, data = {}, b""
        for dtype, width in bits.items():
            raw = random.Random(dtype).randbytes(8 * width // 8)
            header[f"t.{dtype}"] = {"dtype": dtype, "shape": [2, 4], "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        source = self.folder / "in.safetensors"
        source.write_bytes(with_header(header, data))
        self.assertEqual(len(tensors.raw_of_file(source)), 22)
        out = self.convert(source, "--rename", r"^t\.=>u.")
        expected = {"u" + key[1:]: value for key, value in tensors.raw_of_file(source).items()}
        self.assertEqual(tensors.raw_of_file(out), expected)

    def test_metadata_stays_as_it_is(self):
        source = self.folder / "in.safetensors"
        metadata = {"format": "pt", "author": "Zoë 🦊", "empty": "", "quote": '"\\\n\t'}
        safetensors.torch.save_file({"a": torch.zeros(1)}, source, metadata=metadata)
        with safetensors.safe_open(self.convert(source, "--rename", "a=>b"), framework="pt") as file:
            self.assertEqual(file.metadata(), metadata)

    def test_scalars_and_tensors_of_no_bytes_come_through(self):
        source = self.folder / "in.safetensors"
        state = {"x.scalar": torch.tensor(3.5), "x.none": torch.empty(0, 7), "x.nothing": torch.empty(3, 0, dtype=torch.int8)}
        safetensors.torch.save_file(state, source)
        out = self.convert(source, "--remove-prefix", "x")
        self.assertEqual(tensors.of_file(out), {key[2:]: value for key, value in tensors.of_state_dict(state).items()})

    def test_names_of_every_script_and_with_every_escape_come_through(self):
        names = ["ключ.權重", "a\"b\\c/d", "tab\tnewline\n", "nul\x00", "\u2028\u2029", "😀.w", " ", "é", "e\u0301", "<|x|>"]
        source = self.folder / "in.safetensors"
        state = {name: torch.full((i + 1,), float(i)) for i, name in enumerate(names)}
        safetensors.torch.save_file(state, source)
        out = self.convert(source, "--add-prefix", "p")
        self.assertEqual(tensors.of_file(out), {f"p.{key}": value for key, value in tensors.of_state_dict(state).items()})

    def test_the_data_section_is_the_same_and_congruent_modulo_4096(self):
        source = self.folder / "in.safetensors"
        safetensors.torch.save_file({f"layer.{i}.w": torch.randn(37) for i in range(50)}, source)
        out = self.convert(source, "--rename", "layer=>a.very.much.longer.name.for.a.layer")
        starts, sections = [], []
        for path in (source, out):
            content = path.read_bytes()
            starts.append(8 + struct.unpack("<Q", content[:8])[0])
            sections.append(content[starts[-1] :])
        self.assertEqual(sections[0], sections[1])
        self.assertEqual(starts[0] % 4096, starts[1] % 4096)

    def test_there_and_back_gives_the_library_s_own_tensors(self):
        source = self.folder / "in.safetensors"
        safetensors.torch.save_file({"model.a": torch.randn(4), "model.b": torch.randn(2, 2)}, source)
        out, back = self.folder / "out.safetensors", self.folder / "back.safetensors"
        keyshift("convert", source, out, "--remove-prefix", "model")
        keyshift("convert", out, back, "--direction", "save")
        self.assertEqual(tensors.of_file(back), tensors.of_file(source))

    def test_random_checkpoints_come_through(self):
        randomness = random.Random(20)
        alphabet = 'ab.01"\\ é√\n🦊_-'
        for number in range(40):
            header, data = {"__metadata__": {"format": "pt"}}, b""
            for _ in range(randomness.randrange(12)):
                name = "".join(randomness.choices(alphabet, k=randomness.randrange(12)))
                shape = [randomness.randrange(4) for _ in range(randomness.randrange(4))]
                size = 2
                for length in shape:
                    size *= length
                if name not in header:
                    header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [len(data), len(data) + size]}
                    data += randomness.randbytes(size)
            shuffled = dict(randomness.sample(list(header.items()), len(header)))
            source, out = self.folder / f"in{number}.safetensors", self.folder / f"out{number}.safetensors"
            source.write_bytes(with_header(shuffled, data))
            with self.subTest(header=shuffled):
                keyshift("convert", source, out, "--rename", "^=>p/")
                expected = {"p/" + key: value for key, value in tensors.raw_of_file(source).items()}
                self.assertEqual(tensors.raw_of_file(out), expected)

    def test_inspect_shows_the_table_that_the_library_reads(self):
        source = self.folder / "in.safetensors"
        safetensors.torch.save_file({"b": torch.zeros(2, 3), "a": torch.zeros(5, dtype=torch.int64)}, source, metadata={"k": "v"})
        [shard] = keyshift_json("inspect", source)["shards"]
        shown = {t["key"]: (t["dtype"], t["shape"], t["data_offsets"][1] - t["data_offsets"][0]) for t in shard["tensors"]}
        self.assertEqual(shown, {"a": ("I64", [5], 40), "b": ("F32", [2, 3], 24)})
        self.assertEqual(shard["metadata"], {"k": "v"})
        self.assertEqual(shard["size"], source.stat().st_size)
