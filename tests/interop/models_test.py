"""Real models of transformers, end to end: what from_pretrained reads and save_pretrained writes is what keyshift gives.

Each model is saved in two layouts: as a model that was never loaded is saved (no prefix may appear), and as older
checkpoints on the hub have it (every renaming reversed, prefixes too). Both are sharded.
"""

import os
import shutil
import unittest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import export_transforms
import models
import tensors
import transformers
from program import Case, keyshift, keyshift_json
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

SHARD = "20KB"
# Models whose lists also hold converters; of these only the layout in which no converter fires is tried.
WITH_CONVERTERS = {"rf_detr"}
# Models whose lists give the right names only together with the loader's own steps, which need the model's keys.
NEED_THE_TARGET = {"rf_detr"}


def without_converters(rules: dict) -> dict:
    return {**rules, "transforms": [t for t in rules["transforms"] if t["type"] != "WeightConverter"]}


class Model(Case):
    """One model in one layout; the concrete classes are made below."""

    build = None
    hub_layout = False

    def setUp(self):
        super().setUp()
        self.model = type(self).build()
        self.rules = self.write_json("rules.json", without_converters(export_transforms.describe_model(self.model)))
        self.target = self.write_json("target.json", export_transforms.describe_target(self.model))
        if self.hub_layout:
            conversions = get_model_conversion_mapping(self.model, add_legacy=False)
            self.model._weight_conversions = [c for c in conversions if not isinstance(c, WeightConverter)]
        self.checkpoint = self.folder / "checkpoint"
        self.model.save_pretrained(self.checkpoint, max_shard_size=SHARD)

    def test_load_and_save_are_those_of_transformers(self):
        """in, through from_pretrained and save_pretrained, and through keyshift: the same keys and bytes"""
        loaded = type(self.model).from_pretrained(self.checkpoint)
        state = tensors.of_state_dict(loaded.state_dict())
        used = [conversion for conversion in loaded._weight_conversions]
        self.assertFalse(any(isinstance(conversion, WeightConverter) for conversion in used))

        for options in self.load_options():
            converted = self.folder / "converted"
            shutil.rmtree(converted, ignore_errors=True)
            result = keyshift_json("convert", self.checkpoint, converted, *options)
            got = tensors.of_checkpoint(converted)
            self.assertEqual(sorted(set(got) - set(state)), [], "keys that the model does not have")
            self.assertEqual(sorted(set(state) - set(got)), sorted(set(loaded.all_tied_weights_keys) - set(got)))
            self.assertEqual(got, {key: state[key] for key in got})
            keyshift("verify", self.checkpoint, converted, *options)
            self.assertEqual(sum(result["used"]), len(used))

        saved = self.folder / "saved"
        loaded.save_pretrained(saved, max_shard_size=SHARD)
        back = self.folder / "back"
        keyshift("convert", "--direction", "save", converted, back)
        self.assertEqual(tensors.of_checkpoint(back), tensors.of_checkpoint(saved))
        self.assertEqual(tensors.of_checkpoint(back), tensors.of_checkpoint(self.checkpoint))

        again = type(self.model).from_pretrained(back)
        self.assertEqual(tensors.of_state_dict(again.state_dict()), state)

    def test_the_round_trip_is_the_checkpoint_itself(self):
        for options in self.load_options():
            result = keyshift_json("roundtrip", self.checkpoint, *options)
            self.assertTrue(result["same"], result)

    def test_infer_finds_transforms_between_the_two_checkpoints(self):
        """what leads from the checkpoint's names to the model's is found from the bytes, tensors that are all ones or zeros included"""
        converted, found = self.folder / "converted", self.folder / "found.json"
        keyshift("convert", self.checkpoint, converted, *self.load_options()[0])
        keyshift("infer", self.checkpoint, converted, "-o", found)
        keyshift("verify", self.checkpoint, converted, "--transforms", found)

    def load_options(self) -> list[list]:
        """Without the model's keys, where that is enough, and with them, as the loader has them."""
        plain = ["--transforms", self.rules]
        with_target = [*plain, "--target", self.target]
        return [with_target] if type(self).build.__name__ in NEED_THE_TARGET else [plain, with_target]


class NeverLoaded(Case):
    """`--used fresh`: what save_pretrained writes of a model that was not loaded."""

    build = None

    def test_no_prefix_appears(self):
        """a model never loaded is saved as transformers saves it"""
        model = type(self).build()
        rules = self.write_json("rules.json", export_transforms.describe_model(model))
        fresh, source, out = self.folder / "fresh", self.folder / "model", self.folder / "out"
        model.save_pretrained(fresh, max_shard_size=SHARD)
        # The same model under its own names: nothing is reversed.
        model._weight_conversions = []
        model.save_pretrained(source, max_shard_size=SHARD)
        keyshift("convert", source, out, "--transforms", rules, "--direction", "save", "--used", "fresh")
        self.assertEqual(tensors.of_checkpoint(out), tensors.of_checkpoint(fresh))


def concrete(base: type, build, name: str, **members) -> type:
    members |= {"build": staticmethod(build)}
    made = type(name, (base,), members)
    for test in unittest.TestLoader().getTestCaseNames(base):
        inherited = getattr(base, test)

        def run(self, inherited=inherited):
            inherited(self)

        what = (inherited.__doc__ or test.removeprefix("test_").replace("_", " ")).strip()
        run.__doc__ = f"{name}: {what}"
        setattr(made, test, run)
    return made


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    for build in models.ALL:
        name = build.__name__
        if name not in WITH_CONVERTERS:
            suite.addTests(loader.loadTestsFromTestCase(concrete(Model, build, f"{name} as a new model is saved")))
            suite.addTests(loader.loadTestsFromTestCase(concrete(NeverLoaded, build, name)))
        hub = concrete(Model, build, f"{name} as the hub has it", hub_layout=True)
        suite.addTests(loader.loadTestsFromTestCase(hub))
    return suite
