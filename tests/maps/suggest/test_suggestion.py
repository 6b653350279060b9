"""Suggested maps: right where something decides, silent where nothing does."""

import re
import time

import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.suggest.suggestion import suggest
from tests.maps.suggest.migrations import MIGRATIONS, Migration, bert, replacing
from tests.maps.suggest.public_language import PUBLIC_LANGUAGE
from tests.maps.suggest.public_others import PUBLIC_OTHERS
from tests.maps.suggest.public_vision import PUBLIC_VISION
from tests.testdata_paths import PREFIXES

DIGITS = str(PREFIXES["digits/model.ckpt-300"])


def side(shapes, role=roles.TRAINABLE, owner=None):
    return {
        name: Variable(name, "float32", tuple(shape), role, key=name, owner=owner)
        for name, shape in shapes.items()
    }


def kernels(*names, shape=(64, 64)):
    return {f"{name}/kernel": shape for name in names}


def found(suggestion):
    return {pair.source: pair.target for pair in suggestion.pairs}


EVERY = {
    **{name: Migration(rows) for name, rows in MIGRATIONS.items()},
    **PUBLIC_LANGUAGE,
    **PUBLIC_VISION,
    **PUBLIC_OTHERS,
}
#: How many variables are not found, though a careful person would: `sm_w_t` is a
#: softmax to nobody else, and `final_block/BatchNorm` only `bn`.
MISSED = {"word2vec": 2, "DenseNet": 4}


@pytest.mark.parametrize("ordered", [False, True], ids=["by name", "in order"])
@pytest.mark.parametrize("backward", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("name", EVERY)
def test_every_variable_of_a_migration_is_found(name, backward, ordered):
    migration = EVERY[name].back() if backward else EVERY[name]
    source, target = side(migration.source), side(migration.target)
    orders = {"source_order": list(source), "target_order": list(target)}
    suggestion = suggest(source, target, **(orders if ordered else {}))
    pairs = found(suggestion)
    assert pairs.items() <= migration.truth.items()
    missed = {old: new for old, new, _ in migration.rows if old not in pairs}
    assert len(missed) == MISSED.get(name, 0), missed
    renamed = suggestion.assignment_map.rename(source, source=name, among_others=True)
    assert pairs.items() <= dict(renamed.pairs).items()
    assert not renamed.unused


class TestRules:
    def test_whole_scopes_and_numbers_are_one_rule_each(self):
        rows = MIGRATIONS["BERT, other scopes"]
        suggestion = suggest(
            side({old: shape for old, _, shape in rows}),
            side({new: shape for _, new, shape in rows}),
        )
        assert len(suggestion.rules) <= 4
        (layers,) = [r for r in suggestion.rules if len(r.pairs) > 100]
        assert layers.rule.source.pattern == r"bert/encoder/layer_(\d+)/(.+)"
        assert layers.rule.target == r"model/encoder/block_\1/\2"

    def test_a_scope_with_something_undecided_is_not_renamed(self):
        source = {**kernels("a/x"), "a/y/kernel": (2, 3), "a/only_here": (7,)}
        target = {**kernels("b/x"), "b/y/kernel": (2, 3)}
        suggestion = suggest(side(source), side(target))
        renamed = dict(suggestion.assignment_map.rename(source, source="s").pairs)
        assert renamed["a/x/kernel"] == "b/x/kernel"
        assert renamed["a/only_here"] == "a/only_here"

    def test_swapped_names(self):
        shapes = {"dense/kernel": (4, 8), "dense_1/kernel": (8, 2)}
        swapped = {"dense_1/kernel": (4, 8), "dense/kernel": (8, 2)}
        suggestion = suggest(side(shapes), side(swapped))
        renamed = dict(suggestion.assignment_map.rename(shapes, source="s").pairs)
        assert renamed == {
            "dense/kernel": "dense_1/kernel",
            "dense_1/kernel": "dense/kernel",
        }

    def test_the_file_says_why_and_can_be_read_back(self, tmp_path):
        rows = MIGRATIONS["GPT-2"]
        source = side({old: shape for old, _, shape in rows})
        suggestion = suggest(source, side({new: shape for _, new, shape in rows}))
        path = tmp_path / "map.yaml"
        path.write_text(suggestion.to_yaml("old", "new"))
        assert "# 1 variable, 0.9" in path.read_text()
        read = dict(AssignmentMap.of(path).rename(source, source="s").pairs)
        assert read == {old: new for old, new, _ in rows}

    def test_nothing_to_rename_is_an_empty_map(self, tmp_path):
        variables = side(kernels("a", "b"))
        suggestion = suggest(variables, variables)
        assert suggestion.rules == ()
        assert len(suggestion.pairs) == 2
        path = tmp_path / "map.yaml"
        path.write_text(suggestion.to_yaml("old", "new"))
        assert not AssignmentMap.of(path)


class TestSilence:
    """A wrong proposal costs more than none."""

    def test_twins(self):
        source = side(
            kernels("user/dense", "user/dense_1", "item/dense", "item/dense_1")
        )
        target = side(kernels("a/dense", "a/dense_1", "b/dense", "b/dense_1"))
        suggestion = suggest(source, target)
        assert found(suggestion) == {}
        (sentence,) = suggestion.undecided
        assert "'user/dense/kernel'" in sentence
        assert "'a/dense/kernel'" in sentence
        assert "neither names nor order say which" in sentence

    def test_one_scope_and_two_copies_of_it(self):
        source = side(kernels("net/dense", "net/dense_1"))
        target = side(
            kernels(*(f"{a}/{d}" for a in ("p", "q") for d in ("dense", "dense_1")))
        )
        assert found(suggest(source, target)) == {}

    def test_heads_of_equal_shapes_that_share_nothing(self):
        rows = bert(replacing(0, ("bert/", "model/")), layers=2)
        source = {old: shape for old, _, shape in rows}
        target = {new: shape for _, new, shape in rows}
        source |= kernels("cls/transform/dense", shape=(768, 768))
        target |= kernels("answer/hidden", shape=(768, 768))
        suggestion = suggest(side(source), side(target))
        assert found(suggestion) == {old: new for old, new, _ in rows}
        assert len(suggestion.undecided) == 1

    def test_opposites_are_never_the_same(self):
        source = side(kernels("attention/query", "attention/value"))
        target = side(kernels("attn/key", "attn/value"))
        assert found(suggest(source, target)) == {
            "attention/value/kernel": "attn/value/kernel"
        }

    def test_the_alphabet_is_no_order(self):
        source = side(kernels("alpha", "omega"))
        target = side(kernels("first_of_all", "last_of_all"))
        assert found(suggest(source, target)) == {}

    def test_what_comes_after_attention_is_not_its_norm(self):
        source = side({"attention_norm/weight": (8,), "ffn_norm/weight": (8,)})
        target = side({"input_norm/weight": (8,), "post_attention_norm/weight": (8,)})
        assert found(suggest(source, target)) == {}

    def test_a_layer_more_in_the_middle(self):
        source = {**kernels(*(f"net/conv_{i}" for i in range(1, 5)))}
        target = {**kernels(*(f"body/conv2d_{i}" for i in range(1, 6)))}
        source |= {"net/conv_0/kernel": (3, 64)}
        target |= {"body/conv2d_0/kernel": (3, 64)}
        assert found(suggest(side(source), side(target))) == {
            "net/conv_0/kernel": "body/conv2d_0/kernel"
        }

    def test_numbers_of_norms_that_not_all_layers_have(self):
        source, target = {}, {}
        for i, shape in enumerate([(1, 1, 3, 8), (1, 1, 8, 8), (1, 1, 8, 8, 1)]):
            source[f"net/conv2d_{i}/kernel"] = shape
            target[f"stage{'abc'[i]}/kernel"] = shape
        for i in (0, 1):  # those of conv2d_1 and conv2d_2
            source[f"net/batch_normalization_{i}/moving_mean"] = (8,)
        target |= {"stageb_bn/moving_mean": (8,), "stagec_bn/moving_mean": (8,)}
        pairs = found(suggest(side(source), side(target)))
        assert pairs.get("net/batch_normalization_1/moving_mean") in (
            None,
            "stagec_bn/moving_mean",
        )

    def test_a_second_tower_takes_nothing(self):
        source = side(
            {
                **kernels("net/dense_1"),
                "net/dense/kernel": (8, 64),
                "net/out/kernel": (64, 4),
            }
        )
        target = side(
            {
                **kernels("policy/dense_1", "critic/dense_1"),
                "policy/dense/kernel": (8, 64),
                "critic/dense/kernel": (8, 64),
                "policy/out/kernel": (64, 4),
                "critic/out/kernel": (64, 1),
            }
        )
        assert set(found(suggest(source, target)).values()) <= {
            "policy/dense_1/kernel",
            "policy/dense/kernel",
            "policy/out/kernel",
        }


class TestReading:
    """What a name says that a variable is in its layer."""

    @pytest.mark.parametrize(
        ("kernel", "bias", "layer"),
        [
            ("W1", "b1", "layer_1"),
            ("h1", "b1", "layer_1"),
            ("W_conv1", "b_conv1", "conv1"),
            ("wc1", "bc1", "c1"),
            ("layer_0", "bias_0", "dense_0"),
            ("gate", "gate_bias", "gate_conv"),
            ("attn/Wq", "attn/bq", "attention/query"),
            ("softmax_w", "softmax_b", "logits"),
            ("Generator.1.Filters", "Generator.1.Biases", "generator/conv_1"),
        ],
    )
    def test_a_kernel_and_its_bias_are_one_layer(self, kernel, bias, layer):
        source = side({kernel: (4, 8), bias: (8,)})
        target = side({f"{layer}/kernel": (4, 8), f"{layer}/bias": (8,)})
        assert found(suggest(source, target)) == {
            kernel: f"{layer}/kernel",
            bias: f"{layer}/bias",
        }

    def test_a_bias_of_another_size_is_another_layers(self):
        source = side({"w1": (4, 8), "b1": (3,)})
        target = side({"dense/kernel": (4, 8), "dense/bias": (8,)})
        assert found(suggest(source, target)) == {"w1": "dense/kernel"}

    def test_a_bias_that_could_be_of_two_kernels(self):
        source = side({"a_0": (4, 8), "c_0": (9, 8), "bias_0": (8,)})
        target = {
            "x/kernel": (4, 8),
            "x/bias": (8,),
            "y/kernel": (9, 8),
            "y/bias": (8,),
        }
        assert found(suggest(source, side(target))) == {
            "a_0": "x/kernel",
            "c_0": "y/kernel",
        }

    def test_a_name_of_very_many_scopes_is_left_alone(self):
        deep = side({"a/" * 50_000 + "kernel": (3, 3), "b/kernel": (4, 3)})
        suggestion = suggest(deep, side({"c/kernel": (4, 3)}))
        assert found(suggestion) == {"b/kernel": "c/kernel"}
        assert "no model gives such a long name" in suggestion.undecided[0]

    def test_names_that_words_do_not_tell_apart(self):
        names = [f"{'!' * i}w/kernel" for i in range(1, 2000)]
        start = time.process_time()
        assert found(suggest(side(dict.fromkeys(names, (3, 3))), side({}))) == {}
        assert time.process_time() - start < 10


class TestNumbers:
    def test_numbers_in_another_order(self):
        places = [(stage, conv) for stage in range(2, 7) for conv in range(1, 6)]
        old = {f"Mconv{c}_stage{s}/w": (3, 3) for s, c in places}
        new = {f"body/stage{s}/conv{c}/kernel": (3, 3) for s, c in places}
        assert found(suggest(side(old), side(new))) == dict(zip(old, new))
        # Nor do the words say it here, but there are four of one and two of the other.
        places = [(s, c) for s in (1, 2) for c in (1, 2, 3, 4)]
        old = {f"p{c}_q{s}/w": (3, 3) for s, c in places}
        new = {f"x{s}/y{c}/kernel": (3, 3) for s, c in places}
        assert found(suggest(side(old), side(new))) == dict(zip(old, new))

    def test_layers_counted_down_on_one_side(self):
        shapes = [(4, 4), (4, 4), (4, 4), (4, 8), (8, 16)]
        source = {f"net/decoder_{5 - i}/kernel": s for i, s in enumerate(shapes)}
        target = {f"net/up_{i}/kernel": s for i, s in enumerate(shapes)}
        suggestion = suggest(side(source), side(target))
        assert found(suggestion) == dict(zip(source, target))

    def test_a_layer_less_where_names_did_not_change_but_numbers_did(self):
        old, new = (
            {
                f"net/layer_{i}/{part}/kernel": (4, 4)
                for i in range(start, start + 6)
                for part in ("query", "key", "out")
            }
            for start in (0, 1)
        )
        del new["net/layer_3/key/kernel"]
        pairs = found(suggest(side(old), side(new)))
        assert "net/layer_2/key/kernel" not in pairs
        assert pairs["net/layer_3/key/kernel"] == "net/layer_4/key/kernel"
        assert set(pairs.values()) == set(new)

    def test_a_layer_less_among_layers_of_two_sorts(self):
        """`conv_3` of all blocks but one and a shortcut have one shape."""
        sizes = {1: (4, 2), 2: (2, 3), 3: (3, 4)}
        old, new = (
            {f"{scope}_{i}/conv_{n}/kernel": sizes[n] for i in range(4) for n in sizes}
            for scope in ("block", "stage")
        )
        old["block_0/shortcut/kernel"] = new["stage_0/conv_0/kernel"] = (3, 4)
        del new["stage_0/conv_3/kernel"]
        pairs = found(suggest(side(old), side(new)))
        assert pairs.get("block_0/conv_3/kernel") is None
        assert all(a[-11:] == b[-11:] for a, b in pairs.items() if "conv" in a)


def network(scope, layer="dense"):
    sizes = [4, 8, 16, 16, 2]
    return {
        f"{scope}/{layer}_{i}/kernel": shape
        for i, shape in enumerate(zip(sizes, sizes[1:]))
    }


class TestTowers:
    def test_what_is_left_when_the_other_is_decided(self):
        source = side({**network("deepq/q_func"), **network("deepq/target")})
        target = side({**network("online", "fc"), **network("target", "fc")})
        pairs = found(suggest(source, target))
        assert pairs["deepq/q_func/dense_2/kernel"] == "online/fc_2/kernel"
        assert pairs["deepq/target/dense_2/kernel"] == "target/fc_2/kernel"
        assert len(pairs) == 8

    def test_twins_stay_open(self):
        source = side({**network("user"), **network("item")})
        target = side({**network("left", "fc"), **network("right", "fc")})
        assert found(suggest(source, target)) == {}

    def test_a_network_and_two_copies_of_it_stay_open(self):
        target = side({**network("online"), **network("frozen")})
        assert found(suggest(side(network("net")), target)) == {}

    def test_runs_of_twins_stay_open(self):
        source = side({**network("p", "conv"), **network("q", "conv")})
        shapes = [*network("x").values()] * 2
        target = side({f"conv2d_{i}/kernel": s for i, s in enumerate(shapes)})
        assert found(suggest(source, target)) == {}

    def test_a_run_that_another_model_counts_through(self):
        head = {
            f"top/conv_{i}/kernel": s for i, s in enumerate([(2, 4), (4, 8), (8, 9)])
        }
        source = {**network("lower", "conv"), **head}
        target = {f"conv2d_{i}/kernel": s for i, s in enumerate(source.values())}
        suggestion = suggest(side(source), side(target))
        assert found(suggestion) == dict(zip(source, target))


class TestCannedEstimators:
    MODEL = ("dnn/logits/kernel", (4, 2)), ("dnn/logits/bias", (2,))

    def sides(self, shape=None):
        model = side(dict(self.MODEL))
        slots = {f"{n}/t_0/Adagrad": s for n, s in self.MODEL}
        new = {f"training/Adagrad/{n}/accumulator": shape or s for n, s in self.MODEL}
        return (
            {**model, **side(slots, roles.OPTIMIZER)},
            {**model, **side(new, roles.OPTIMIZER)},
        )

    def test_their_slots_get_the_names_of_tf2(self):
        source, target = self.sides()
        suggestion = suggest(source, target)
        assert found(suggestion) == dict(zip(source, target))
        assert "- {builtin: canned_estimators}\n" in suggestion.to_yaml("a", "b")
        renamed = suggestion.assignment_map.rename(source, source="a")
        assert renamed.pairs == list(zip(source, target))

    def test_only_where_they_fit(self):
        source, target = self.sides(shape=(7,))
        assert suggest(source, target).rules == ()


class TestFile:
    ODD = ("a\nb", "a\u202eb", "a\x1b[2Jb", "a: b", "a'\"b", "\u00e4#b", "a\\1b")

    @pytest.mark.parametrize("name", ODD)
    def test_no_name_breaks_out_of_its_line(self, tmp_path, name):
        source = side({f"{name}/kernel": (3, 4), f"{name}/other": (7,)})
        target = side({f"new{name}/kernel": (3, 4)})
        text = suggest(source, target).to_yaml(f"/{name}/old", f"/{name}/new")
        assert all(line.isprintable() for line in text.split("\n"))
        assert all(line.startswith(("# ", "- ")) for line in text.split("\n")[:-1])
        path = tmp_path / "map.yaml"
        path.write_text(text)
        read = AssignmentMap.of(path).rename(source, source="s").targets
        assert read[f"{name}/kernel"] == tuple(target)

    def test_what_was_given_is_written_as_it_was(self, tmp_path):
        whole = re.compile("A/(.+)", re.IGNORECASE)
        given = AssignmentMap.of(
            ["builtin:use_ema", {whole: r"b/\1"}, {"x": ["y", "z"]}]
        )
        variables = side({"a/w": (3,), "x": (4,), "x/ExponentialMovingAverage": (4,)})
        text = suggest(variables, variables, given=given).to_yaml("s", "t")
        path = tmp_path / "map.yaml"
        path.write_text(text)
        read, wanted = (
            m.rename(variables, source="s", among_others=True).targets
            for m in (AssignmentMap.of(path), given)
        )
        assert read == wanted
        assert wanted["x/ExponentialMovingAverage"] == ("y", "z")


class TestOrder:
    def test_the_order_in_which_models_were_made(self):
        source = side(kernels("zeta", "alpha"))
        target = side(kernels("mixer", "blender"))
        suggestion = suggest(
            source,
            target,
            source_order=["zeta/kernel", "alpha/kernel", "global_step"],
            target_order=["mixer/kernel", "blender/kernel"],
        )
        assert found(suggestion) == {
            "zeta/kernel": "mixer/kernel",
            "alpha/kernel": "blender/kernel",
        }
        assert all(pair.confidence < 0.9 for pair in suggestion.pairs)

    def test_orders_that_contradict_what_is_decided(self):
        shapes = {"a": (1, 8), "b": (8, 8), "c": (8, 2), "d": (8, 8)}
        source = side({f"{name}/kernel": shape for name, shape in shapes.items()})
        target = side({f"x{name}/kernel": shape for name, shape in shapes.items()})
        order = [f"{name}/kernel" for name in ("a", "b", "c", "d")]
        other = [f"x{name}/kernel" for name in ("c", "d", "a", "b")]
        suggestion = suggest(source, target, source_order=order, target_order=other)
        assert found(suggestion) == {
            "a/kernel": "xa/kernel",
            "c/kernel": "xc/kernel",
        }

    def test_an_order_that_contradicts_numbers_is_not_held_against_them(self):
        old = [f"cell_{i}/{way}" for way in ("fw", "bw") for i in (0, 1)]
        new = [f"lstm_{i}/{way}" for way in ("forward", "backward") for i in (1, 2)]
        source, target = side(kernels(*old)), side(kernels(*new))
        suggestion = suggest(source, target, source_order=list(source))
        assert set(found(suggestion).items()) <= {
            (f"{a}/kernel", f"{b}/kernel") for a, b in zip(old, new)
        }

    def test_words_win_over_order(self):
        source = side(kernels("left", "right"))
        target = side(kernels("right_eye", "left_eye"))
        order = ["left/kernel", "right/kernel"], ["right_eye/kernel", "left_eye/kernel"]
        suggestion = suggest(
            source, target, source_order=order[0], target_order=order[1]
        )
        assert found(suggestion)["left/kernel"] == "left_eye/kernel"


class TestSize:
    def test_thousands_of_layers_of_one_shape(self):
        names = [f"scope{'abcdefghij'[i % 10] * (i // 10 + 1)}" for i in range(2000)]
        source = side(kernels(*names))
        target = side(kernels(*(f"x_{name[::-1]}" for name in names)))
        start = time.process_time()
        assert found(suggest(source, target)) == {}
        assert time.process_time() - start < 10  # a minute where each is tried on each

    def test_thousands_of_layers_whose_names_share_words(self):
        old = [f"net/layer_{i}/attention/{q}" for i in range(600) for q in "qkvo"]
        new = [f"tower/h{i + 1}/mha/{q}" for i in range(600) for q in "qkvo"]
        start = time.process_time()
        suggestion = suggest(side(kernels(*old)), side(kernels(*new)))
        assert found(suggestion) == {
            f"{a}/kernel": f"{b}/kernel" for a, b in zip(old, new)
        }
        assert time.process_time() - start < 10


class TestWhatIsConsidered:
    def test_slots_averages_and_steps_are_no_candidates(self):
        source, target = side({"a/kernel": (4, 4)}), side({"b/kernel": (4, 4)})
        average = {"a/kernel/ExponentialMovingAverage": (4, 4)}
        source |= side(average, roles.AVERAGE, "a/kernel")
        source |= side({"a/kernel/Adam": (4, 4)}, roles.SLOT, "a/kernel")
        average = {"b/kernel/ExponentialMovingAverage": (4, 4)}
        target |= side(average, roles.AVERAGE, "b/kernel")
        target |= side({"b/kernel/Adam": (4, 4)}, roles.SLOT, "b/kernel")
        suggestion = suggest(source, target)
        assert found(suggestion) == {"a/kernel": "b/kernel"}
        renamed = dict(suggestion.assignment_map.rename(source, source="s").pairs)
        assert renamed["a/kernel/Adam"] == "b/kernel/Adam"

    def test_what_is_known_already(self):
        old = ("shop/user/fc", "shop/user/fc_1", "shop/item/fc", "shop/item/fc_1")
        new = ("store/a/x", "store/a/y", "store/b/x", "store/b/y")
        source, target = side(kernels(*old)), side(kernels(*new))
        assert found(suggest(source, target)) == {}
        given = AssignmentMap.of({"shop/user/fc/": "store/a/x/"})
        suggestion = suggest(source, target, given=given)
        assert found(suggestion)["shop/user/fc/kernel"] == "store/a/x/kernel"
        assert (
            "# As given:\n- {from: shop/user/fc/, to: store/a/x/}\n"
            in suggestion.to_yaml("s", "t")
        )

    def test_a_dtype_that_differs_is_not_the_same(self):
        source = side({"a/kernel": (4, 4)})
        target = {"b/kernel": Variable("b/kernel", "float16", (4, 4))}
        assert found(suggest(source, target)) == {}

    def test_a_variable_that_is_called_like_a_layer(self):
        names = {"cls": (1, 1, 8), "head/kernel": (8, 3), "head/bias": (3,)}
        source = side(names)
        target = side({"token": (1, 1, 8), "classifier/kernel": (8, 3)})
        target |= side({"classifier/bias": (3,)})
        assert found(suggest(source, target)) == {
            "cls": "token",
            "head/kernel": "classifier/kernel",
            "head/bias": "classifier/bias",
        }

    def test_a_bias_that_the_target_lacks(self):
        source = side({"a/kernel": (4, 8), "a/bias": (8,)})
        suggestion = suggest(source, side({"b/kernel": (4, 8)}))
        assert found(suggestion) == {"a/kernel": "b/kernel"}
        assert suggestion.undecided == (
            "'a/bias': 'b' is its layer, and has no variable that fits it",
        )


class TestRealCheckpoints:
    def test_digits_with_other_scopes(self, tmp_path):
        renames = {
            "conv1/": "net/stage_a/conv/",
            "bn1/": "net/stage_a/norm/",
            "conv2/": "net/stage_b/conv/",
            "bn2/": "net/stage_b/norm/",
            "logits/": "classifier/out/",
        }
        new = ec.convert(DIGITS, tmp_path / "new", to="tf2", assignment_map=renames)
        suggestion = ec.suggest(DIGITS, new)
        assert suggestion.undecided == ()
        planned = ec.plan(DIGITS, new, assignment_map=suggestion.assignment_map)
        assert not planned.problems

    def test_a_model_fn_that_was_rebuilt(self):
        import tensorflow as tf

        def model_fn(features, labels, mode):
            net = tf.reshape(features, (-1, 16, 16, 1))
            for i in (1, 2):
                with tf.compat.v1.variable_scope(f"stage{i}"):
                    net = tf.compat.v1.layers.conv2d(
                        net, 8 * i, 3, padding="same", use_bias=False
                    )
                    net = tf.compat.v1.layers.batch_normalization(net)
                net = tf.compat.v1.layers.max_pooling2d(net, 2, 2)
            tf.compat.v1.layers.dense(tf.reshape(net, (-1, 256)), 10, name="head")

        def input_fn():
            return tf.zeros((2, 256)), tf.zeros((2,), tf.int64)

        suggestion = ec.suggest(DIGITS, model_fn, input_fn=input_fn)
        planned = ec.plan(
            DIGITS,
            model_fn,
            input_fn=input_fn,
            carry="model",
            assignment_map=suggestion.assignment_map,
        )
        assert not planned.problems
        assert found(suggestion)["conv1/kernel"] == "stage1/conv2d/kernel"

    def test_a_keras_model(self):
        import tensorflow as tf

        model = tf.keras.Sequential([tf.keras.layers.Dense(10, name="head")])
        model.build((None, 256))
        suggestion = ec.suggest(DIGITS, model)
        assert found(suggestion) == {
            "logits/kernel": "head/kernel",
            "logits/bias": "head/bias",
        }

    def test_the_order_is_read_from_the_meta_graph(self):
        from estimator_ckpt.checkpoint.evidence import meta_graph

        order = meta_graph.creation_order(DIGITS)
        assert order.index("conv1/kernel") < order.index("bn1/gamma")
        assert order.index("bn1/gamma") < order.index("conv2/kernel")
        assert set(order) == set(ec.open_checkpoint(DIGITS))


BERT = side(
    {
        "bert/embeddings/word_embeddings": (9, 4),
        "bert/embeddings/LayerNorm/gamma": (4,),
        "bert/encoder/layer_0/attention/self/query/kernel": (4, 6),
        "bert/encoder/layer_0/attention/self/query/bias": (6,),
        "cls/predictions/output_bias": (9,),
        "cls/seq_relationship/output_weights": (2, 4),
    }
)
BERT_IN_PYTORCH = side(
    {
        "bert.embeddings.word_embeddings.weight": (9, 4),
        "bert.embeddings.LayerNorm.weight": (4,),
        "bert.encoder.layer.0.attention.self.query.weight": (6, 4),
        "bert.encoder.layer.0.attention.self.query.bias": (6,),
        "cls.predictions.bias": (9,),
        "cls.seq_relationship.weight": (2, 4),
    }
)


def test_a_published_model_in_pytorch_is_its_builtin_map():
    suggested = suggest(BERT, BERT_IN_PYTORCH)
    assert not suggested.undecided
    assert len(suggested.pairs) == len(BERT)
    assert "- {builtin: bert_to_hf}" in suggested.to_yaml("a", "b")
    (rule,) = suggested.rules
    assert (rule.confidence, len(rule.pairs)) == (0.95, 6)


def test_what_a_builtin_map_does_not_give_is_found_as_ever():
    mine = {**BERT, **side({"adapter/kernel": (3, 7)})}
    theirs = {**BERT_IN_PYTORCH, **side({"adapter.weight": (3, 7)})}
    suggested = suggest(mine, theirs)
    assert found(suggested)["adapter/kernel"] == "adapter.weight"
    assert [rule.rule.is_builtin for rule in suggested.rules] == [False, True]
    new = suggested.assignment_map.rename(mine, source="c").targets
    assert {name for (name,) in new.values()} == set(theirs)


def test_a_model_of_another_size_is_no_published_one():
    larger = {
        name: replaced
        for name, variable in BERT_IN_PYTORCH.items()
        for replaced in side({name: [2 * n for n in variable.shape]}).values()
    }
    assert not any(rule.rule.is_builtin for rule in suggest(BERT, larger).rules)


def test_a_map_of_ones_own_goes_before_a_builtin_one():
    own = AssignmentMap.of({"cls/predictions/output_bias": "cls.predictions.bias"})
    suggested = suggest(BERT, BERT_IN_PYTORCH, given=own)
    assert not any(rule.rule.is_builtin for rule in suggested.rules)
