"""Names of published models of language, speech and shopping, and of rewrites.

As `migrations`: rows of old name, new name, shape. The old names are those that the
repositories named at each function save.
"""

from tests.maps.suggest.migrations import Migration, bert, layer, norm

WB = ("W", "b"), ("kernel", "bias")
NORM = ("gamma", "beta")


def deepspeech():
    """mozilla/DeepSpeech 0.1 and 0.6."""
    rows, n = [], 2048
    for i, shape in (
        (1, (494, n)),
        (2, (n, n)),
        (3, (n, n)),
        (5, (n, n)),
        (6, (n, 29)),
    ):
        rows += [
            (f"h{i}", f"layer_{i}/weights", shape),
            (f"b{i}", f"layer_{i}/bias", shape[-1:]),
        ]
    old = "lstm_fused_cell"
    new = "cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell"
    return Migration(rows + layer(old, new, (2 * n, 4 * n)))


def plain_mlp():
    """W1, b1, ...: the names that tutorials give."""
    rows = []
    sizes = [784, 256, 256, 256, 10]
    for i, shape in enumerate(zip(sizes, sizes[1:]), 1):
        new = "dense" if i == 1 else f"dense_{i - 1}"
        rows.append((f"W{i}", f"{new}/kernel", shape))
        rows.append((f"b{i}", f"{new}/bias", shape[-1:]))
    return Migration(rows)


def written_out_attention(h=512):
    """A Transformer whose projections are bare matrices: Wq, Wk, Wv, Wo."""
    rows = [("tok_emb", "model/token_embedding/embeddings", (32000, h))]
    rows += [("pos_emb", "model/position_embedding/embeddings", (512, h))]
    for i in range(6):
        a, b = f"block_{i}", f"model/layers/{i}"
        for initial, word in zip("qkvo", ("query", "key", "value", "output")):
            rows.append(
                (f"{a}/attn/W{initial}", f"{b}/attention/{word}/kernel", (h, h))
            )
            rows.append((f"{a}/attn/b{initial}", f"{b}/attention/{word}/bias", (h,)))
        for n, (name, shape) in enumerate(
            (("intermediate", (h, 4 * h)), ("output", (4 * h, h))), 1
        ):
            rows.append((f"{a}/mlp/W{n}", f"{b}/feed_forward/{name}/kernel", shape))
            rows.append((f"{a}/mlp/b{n}", f"{b}/feed_forward/{name}/bias", shape[-1:]))
        rows += norm(f"{a}/ln1", f"{b}/attention_norm", h, ("g", "b"), NORM)
        rows += norm(f"{a}/ln2", f"{b}/feed_forward_norm", h, ("g", "b"), NORM)
    rows += norm("ln_f", "model/final_norm", h, ("g", "b"), NORM)
    return Migration(rows)


def nmt(units=512):
    """tensorflow/nmt, with attention."""
    s, cell = "dynamic_seq2seq", "basic_lstm_cell"
    rows = [
        (
            "embeddings/encoder/embedding_encoder",
            "nmt/encoder/embedding/embeddings",
            (17191, units),
        ),
        (
            "embeddings/decoder/embedding_decoder",
            "nmt/decoder/embedding/embeddings",
            (7709, units),
        ),
    ]
    for way, word in (("fw", "forward"), ("bw", "backward")):
        rows += layer(
            f"{s}/encoder/bidirectional_rnn/{way}/{cell}",
            f"nmt/encoder/bidirectional/{word}/lstm_cell",
            (2 * units, 4 * units),
        )
    for i in range(3):
        inputs = 3 * units if i == 0 else 2 * units
        rows += layer(
            f"{s}/encoder/rnn/multi_rnn_cell/cell_{i}/{cell}",
            f"nmt/encoder/stack/layer_{i + 1}/lstm_cell",
            (inputs, 4 * units),
        )
        rows += layer(
            f"{s}/decoder/attention/multi_rnn_cell/cell_{i}/{cell}",
            f"nmt/decoder/stack/layer_{i + 1}/lstm_cell",
            (inputs, 4 * units),
        )
    a, b = f"{s}/decoder", "nmt/decoder"
    rows += [
        (f"{a}/memory_layer/kernel", f"{b}/attention/memory/kernel", (units, units)),
        (
            f"{a}/attention/bahdanau_attention/query_layer/kernel",
            f"{b}/attention/query/kernel",
            (units, units),
        ),
        (f"{a}/attention/bahdanau_attention/attention_v", f"{b}/attention/v", (units,)),
        (
            f"{a}/attention/attention_layer/kernel",
            f"{b}/attention/output/kernel",
            (2 * units, units),
        ),
        (f"{a}/output_projection/kernel", f"{b}/logits/kernel", (units, 7709)),
    ]
    return Migration(rows)


def char_rnn():
    """sherjilozair/char-rnn-tensorflow."""
    rows = [
        ("rnnlm/embedding", "char_rnn/embed/embeddings", (65, 128)),
        ("rnnlm/softmax_w", "char_rnn/logits/kernel", (128, 65)),
        ("rnnlm/softmax_b", "char_rnn/logits/bias", (65,)),
    ]
    for i in (0, 1):
        old = f"rnnlm/multi_rnn_cell/cell_{i}/basic_lstm_cell"
        rows += layer(old, f"char_rnn/rnn/layer_{i + 1}/lstm", (256, 512))
    return Migration(rows)


def word2vec():
    """tensorflow/models tutorials/embedding."""
    return Migration(
        [
            ("emb", "skip_gram/target_embedding/embeddings", (71290, 200)),
            ("sm_w_t", "skip_gram/softmax/kernel", (71290, 200)),
            ("sm_b", "skip_gram/softmax/bias", (71290,)),
        ]
    )


def kyubyong(h=512):
    """Kyubyong/transformer: dense, dense_1, dense_2 are query, key and value."""
    rows = [
        ("shared_weight_matrix", "transformer/shared_embedding/embeddings", (32000, h))
    ]
    opened = []
    for side in ("encoder", "decoder"):
        for i in range(6):
            a, b = f"{side}/num_blocks_{i}", f"transformer/{side}/layers/{i}"
            parts = [("multihead_attention", "self_attention")]
            if side == "decoder":
                parts = [
                    ("self_attention", "self_attention"),
                    ("vanilla_attention", "cross_attention"),
                ]
            for old, new in parts:
                for n, word in enumerate(("query", "key", "value")):
                    suffix = f"_{n}" if n else ""
                    opened += layer(
                        f"{a}/{old}/dense{suffix}", f"{b}/{new}/{word}", (h, h)
                    )
                rows += norm(f"{a}/{old}/ln", f"{b}/{new}/layer_norm", h, NORM)
            ff = f"{a}/positionwise_feedforward", f"{b}/feed_forward"
            rows += layer(f"{ff[0]}/dense", f"{ff[1]}/inner", (h, 4 * h))
            rows += layer(f"{ff[0]}/dense_1", f"{ff[1]}/outer", (4 * h, h))
            rows += norm(f"{ff[0]}/ln", f"{ff[1]}/layer_norm", h, NORM)
    return Migration(rows, open=opened)


def hugging_face_bert():
    """google-research/bert to transformers."""

    def rename(name):
        name = name.replace("encoder/layer_", "encoder/layer_._")
        name = name.replace(
            "embeddings/word_embeddings", "embeddings/word_embeddings/weight"
        )
        name = name.replace("token_type_embeddings", "token_type_embeddings/embeddings")
        name = name.replace("position_embeddings", "position_embeddings/embeddings")
        return f"tf_bert_model/{name}"

    return Migration(
        bert(rename),
        only_source={
            "cls/predictions/transform/dense/kernel": (768, 768),
            "cls/predictions/transform/dense/bias": (768,),
            "cls/predictions/transform/LayerNorm/gamma": (768,),
            "cls/predictions/transform/LayerNorm/beta": (768,),
            "cls/predictions/output_bias": (30522,),
            "cls/seq_relationship/output_weights": (2, 768),
            "cls/seq_relationship/output_bias": (2,),
        },
        only_target={"classifier/kernel": (768, 3), "classifier/bias": (3,)},
    )


def t5(h=512):
    """google-research/text-to-text-transfer-transformer to transformers."""
    rows = [("shared/embedding", "tf_t5/shared/weight", (32128, h))]
    for side in ("encoder", "decoder"):
        parts = ["SelfAttention"] + ["EncDecAttention"] * (side == "decoder")
        for i in range(6):
            a, b = f"{side}/block_{i:03}", f"tf_t5/{side}/block_._{i}"
            for n, part in enumerate(parts):
                for q in "qkvo":
                    rows.append(
                        (
                            f"{a}/layer_{n:03}/{part}/{q}",
                            f"{b}/layer_._{n}/{part}/{q}/kernel",
                            (h, h),
                        )
                    )
                rows.append(
                    (
                        f"{a}/layer_{n:03}/layer_norm/scale",
                        f"{b}/layer_._{n}/layer_norm/weight",
                        (h,),
                    )
                )
            n = len(parts)
            ff = f"{a}/layer_{n:03}/DenseReluDense", f"{b}/layer_._{n}/DenseReluDense"
            rows.append((f"{ff[0]}/wi/kernel", f"{ff[1]}/wi/kernel", (h, 4 * h)))
            rows.append((f"{ff[0]}/wo/kernel", f"{ff[1]}/wo/kernel", (4 * h, h)))
            rows.append(
                (
                    f"{a}/layer_{n:03}/layer_norm/scale",
                    f"{b}/layer_._{n}/layer_norm/weight",
                    (h,),
                )
            )
        last = "SelfAttention/relative_attention_bias"
        new = f"tf_t5/{side}/block_._0/layer_._0/{last}/embeddings"
        rows.append((f"{side}/block_000/layer_000/{last}", new, (8, 32)))
        rows.append(
            (
                f"{side}/final_layer_norm/scale",
                f"tf_t5/{side}/final_layer_norm/weight",
                (h,),
            )
        )
    return Migration(rows)


def albert(h=768):
    """google-research/albert to transformers."""
    a = "bert/encoder/transformer/group_0/inner_group_0"
    b = "tf_albert/encoder/albert_layer_groups_._0/albert_layers_._0"
    rows = [
        (
            "bert/embeddings/word_embeddings",
            "tf_albert/embeddings/word_embeddings/weight",
            (30000, 128),
        ),
        (
            "bert/embeddings/token_type_embeddings",
            "tf_albert/embeddings/token_type_embeddings/embeddings",
            (2, 128),
        ),
        (
            "bert/embeddings/position_embeddings",
            "tf_albert/embeddings/position_embeddings/embeddings",
            (512, 128),
        ),
        *norm("bert/embeddings/LayerNorm", "tf_albert/embeddings/LayerNorm", 128, NORM),
        *layer(
            "bert/encoder/embedding_hidden_mapping_in",
            "tf_albert/encoder/embedding_hidden_mapping_in",
            (128, h),
        ),
        *norm(f"{a}/LayerNorm", f"{b}/attention/LayerNorm", h, NORM),
        *norm(f"{a}/LayerNorm_1", f"{b}/full_layer_layer_norm", h, NORM),
        *layer(f"{a}/ffn_1/intermediate/dense", f"{b}/ffn", (h, 4 * h)),
        *layer(f"{a}/ffn_1/intermediate/output/dense", f"{b}/ffn_output", (4 * h, h)),
        *layer(f"{a}/attention_1/output/dense", f"{b}/attention/dense", (h, h)),
        *layer("bert/pooler/dense", "tf_albert/pooler", (h, h)),
    ]
    for q in ("query", "key", "value"):
        rows += layer(f"{a}/attention_1/self/{q}", f"{b}/attention/{q}", (h, h))
    return Migration(rows)


def official_transformer(h=512):
    """tensorflow/models official/transformer, its first version and v2."""
    rows = [
        (
            "model/Transformer/embedding_shared_weights/embedding_and_softmax/weights",
            "transformer_v2/Transformer/embedding_shared_weights/weights",
            (33708, h),
        ),
    ]
    for side in ("encoder", "decoder"):
        a, b = (
            f"model/Transformer/{side}_stack",
            f"transformer_v2/Transformer/{side}_stack",
        )
        parts = ["self_attention"] + ["encdec_attention"] * (side == "decoder")
        for i in range(6):
            for part in parts:
                old = f"{a}/layer_{i}/{part}"
                new = f"{b}/layer_{i}/{part}"
                for q, word in (
                    ("q", "query"),
                    ("k", "key"),
                    ("v", "value"),
                    ("output_transform", "output_transform"),
                ):
                    rows.append(
                        (
                            f"{old}/{part.replace('encdec_', '')}/{q}/kernel",
                            f"{new}/{word}/kernel",
                            (h, h),
                        )
                    )
                rows += norm(
                    f"{old}/layer_normalization",
                    f"{new}/pre_post_processing_wrapper/layer_normalization",
                    h,
                    ("layer_norm_scale", "layer_norm_bias"),
                    ("layer_norm_scale", "layer_norm_bias"),
                )
            old, new = f"{a}/layer_{i}/ffn", f"{b}/layer_{i}/feed_forward_network"
            rows += layer(
                f"{old}/feed_foward_network/filter_layer",
                f"{new}/filter_layer",
                (h, 4 * h),
            )
            rows += layer(
                f"{old}/feed_foward_network/output_layer",
                f"{new}/output_layer",
                (4 * h, h),
            )
            leaves = ("layer_norm_scale", "layer_norm_bias")
            rows += norm(
                f"{old}/layer_normalization",
                f"{new}/pre_post_processing_wrapper/layer_normalization",
                h,
                leaves,
            )
        leaves = ("layer_norm_scale", "layer_norm_bias")
        rows += norm(f"{a}/layer_normalization", f"{b}/layer_normalization", h, leaves)
    return Migration(rows)


def elmo():
    """allenai/bilm-tf."""
    rows = [("bilm/char_embed", "elmo/char_embedding/embeddings", (261, 16))]
    for i, size in enumerate((32, 32, 64, 128, 256, 512, 1024)):
        rows.append(
            (
                f"bilm/CNN/W_cnn_{i}",
                f"elmo/char_cnn/conv_{i}/kernel",
                (1, i + 1, 16, size),
            )
        )
        rows.append((f"bilm/CNN/b_cnn_{i}", f"elmo/char_cnn/conv_{i}/bias", (size,)))
    rows += [
        ("bilm/CNN_proj/W_proj", "elmo/char_projection/kernel", (2048, 512)),
        ("bilm/CNN_proj/b_proj", "elmo/char_projection/bias", (512,)),
    ]
    for i in (0, 1):
        for gate in ("carry", "transform"):
            old, new = f"bilm/CNN_high_{i}", f"elmo/highway_{i}/{gate}"
            rows.append((f"{old}/W_{gate}", f"{new}/kernel", (2048, 2048)))
            rows.append((f"{old}/b_{gate}", f"{new}/bias", (2048,)))
    opened = []
    for i, way in enumerate(("forward", "backward")):
        for n in (0, 1):
            old = f"bilm/RNN_{i}/RNN/MultiRNNCell/Cell{n}/rnn/lstm_cell"
            new = f"elmo/{way}/lstm_{n}"
            opened += layer(old, new, (1024, 16384))
            opened.append(
                (f"{old}/projection/kernel", f"{new}/projection/kernel", (4096, 512))
            )
    return Migration(rows, open=opened)


def text_cnn():
    """dennybritz/cnn-text-classification-tf."""
    rows = [
        ("embedding/W", "text_cnn/embedding/embeddings", (18758, 128)),
        ("W", "text_cnn/output/kernel", (384, 2)),
        ("output/b", "text_cnn/output/bias", (2,)),
    ]
    for size in (3, 4, 5):
        rows += layer(
            f"conv-maxpool-{size}", f"text_cnn/conv_{size}", (size, 128, 1, 128), *WB
        )
    return Migration(rows)


def tagger():
    """A BiLSTM-CRF for names, as in many Chinese repositories (zjy-ucas/ChineseNER)."""
    rows = [
        (
            "char_embedding/char_embedding",
            "tagger/char_embedding/embeddings",
            (4412, 100),
        ),
        (
            "char_embedding/seg_embedding/seg_embedding",
            "tagger/segment_embedding/embeddings",
            (4, 20),
        ),
        ("crf_loss/transitions", "tagger/crf/transitions", (52, 52)),
        *layer("project/hidden", "tagger/hidden", (200, 100), *WB),
        *layer("project/logits", "tagger/logits", (100, 51), *WB),
    ]
    for way in ("forward", "backward"):
        old = f"char_BiLSTM/bidirectional_rnn/{way[0]}w/lstm_cell"
        rows += layer(old, f"tagger/bilstm/{way}_lstm", (220, 400))
    return Migration(rows)


def tacotron():
    """keithito/tacotron."""
    a, b = "model/inference", "tacotron"
    rows = [
        (f"{a}/embedding", f"{b}/embedding/embeddings", (149, 256)),
        *layer(f"{a}/prenet/dense_1", f"{b}/encoder/prenet/fc1", (256, 256)),
        *layer(f"{a}/prenet/dense_2", f"{b}/encoder/prenet/fc2", (256, 128)),
    ]
    for old, new, k, size, projections in (
        ("encoder_cbhg", "encoder/cbhg", 16, 128, (128, 128)),
        ("post_cbhg", "postnet/cbhg", 8, 80, (256, 80)),
    ):
        x, y = f"{a}/{old}", f"{b}/{new}"
        for i in range(1, k + 1):
            rows += layer(
                f"{x}/conv_bank/conv1d_{i}/conv1d", f"{y}/bank/conv_{i}", (i, size, 128)
            )
            rows += norm(
                f"{x}/conv_bank/conv1d_{i}/batch_normalization", f"{y}/bank/bn_{i}", 128
            )
        inputs = k * 128
        for i, outputs in enumerate(projections, 1):
            rows += layer(
                f"{x}/proj_{i}/conv1d", f"{y}/proj_conv_{i}", (3, inputs, outputs)
            )
            rows += norm(
                f"{x}/proj_{i}/batch_normalization", f"{y}/proj_bn_{i}", outputs
            )
            inputs = outputs
        for i in range(1, 5):
            for part in "HT":
                rows += layer(
                    f"{x}/highway_{i}/{part}", f"{y}/highway_{i}/{part}", (128, 128)
                )
        for way in ("forward", "backward"):
            for part, shape in (("gates", (256, 256)), ("candidate", (256, 128))):
                rows += layer(
                    f"{x}/bidirectional_rnn/{way[0]}w/gru_cell/{part}",
                    f"{y}/gru/{way}/{part}",
                    shape,
                )
    d, e = f"{a}/decoder", f"{b}/decoder"
    rows += [
        *layer(f"{d}/output_projection_wrapper", f"{e}/frame_projection", (256, 400)),
        *layer(f"{a}/dense", f"{b}/linear_spectrogram", (256, 1025)),
    ]
    return Migration(rows)


def wavenet():
    """ibab/tensorflow-wavenet."""
    rows = [("wavenet/causal_layer/filter", "net/causal/kernel", (2, 256, 32))]
    for i in range(10):
        a, b = f"wavenet/dilated_stack/layer{i}", f"net/blocks/{i}"
        for part, new, shape in (
            ("filter", "filter_conv", (2, 32, 32)),
            ("gate", "gate_conv", (2, 32, 32)),
            ("dense", "residual_conv", (1, 32, 32)),
            ("skip", "skip_conv", (1, 32, 512)),
        ):
            rows.append((f"{a}/{part}", f"{b}/{new}/kernel", shape))
            rows.append((f"{a}/{part}_bias", f"{b}/{new}/bias", shape[-1:]))
    for i, shape in ((1, (1, 512, 512)), (2, (1, 512, 256))):
        a, b = f"wavenet/postprocessing/postprocess{i}", f"net/post/conv_{i}"
        rows += [(a, f"{b}/kernel", shape), (f"{a}_bias", f"{b}/bias", shape[-1:])]
    return Migration(rows)


def wide_and_deep():
    """tensorflow/models official/r1/wide_deep, to Keras."""
    rows = []
    for name, size in (("education", 16), ("marital_status", 7), ("occupation", 1000)):
        rows.append(
            (f"linear/linear_model/{name}/weights", f"wide/{name}/weights", (size, 1))
        )
    rows.append(("linear/linear_model/bias_weights", "wide/bias", (1,)))
    rows.append(
        (
            "dnn/input_from_feature_columns/input_layer/occupation_embedding/embedding_weights",
            "deep/occupation_embedding/embeddings",
            (1000, 8),
        )
    )
    sizes = [51, 100, 75, 50, 25]
    for i, shape in enumerate(zip(sizes, sizes[1:])):
        rows += layer(f"dnn/hiddenlayer_{i}", f"deep/dense_{i + 1}", shape)
    rows += layer("dnn/logits", "deep/logits", (25, 1))
    return Migration(rows)


def deep_fm():
    """ChenglongChen/tensorflow-DeepFM."""
    rows = [
        ("feature_embeddings", "deep_fm/embedding/embeddings", (25000, 8)),
        ("feature_bias", "deep_fm/first_order/embeddings", (25000, 1)),
        ("concat_projection", "deep_fm/output/kernel", (79, 1)),
        ("concat_bias", "deep_fm/output/bias", (1,)),
    ]
    for i, shape in enumerate(((312, 32), (32, 32))):
        rows.append((f"layer_{i}", f"deep_fm/dense_{i}/kernel", shape))
        rows.append((f"bias_{i}", f"deep_fm/dense_{i}/bias", (1, 32)))
    return Migration(rows)


def easy_rec():
    """alibaba/EasyRec's DeepFM."""
    rows = []
    for name, size in (("user_id", 100000), ("item_id", 50000), ("cate", 10000)):
        rows.append(
            (
                f"input_layer/{name}_embedding/embedding_weights",
                f"features/{name}/embeddings",
                (size, 16),
            )
        )
        rows.append(
            (
                f"input_layer_1/{name}_embedding/embedding_weights",
                f"features_wide/{name}/embeddings",
                (size, 1),
            )
        )
    sizes = [48, 256, 128, 64]
    for part, new in (("deep_feature", "deep"), ("final_dnn", "final")):
        for i, shape in enumerate(zip(sizes, sizes[1:])):
            rows += layer(f"{part}/dnn_{i}", f"{new}/layer_{i}/dense", shape)
            rows += norm(f"{part}/dnn_{i}/bn", f"{new}/layer_{i}/norm", shape[1])
        sizes = [80, 128, 64]
    rows += layer("output", "logits", (64, 1))
    return Migration(rows)


def torch_names(h=768):
    """A BERT under the names that PyTorch gives: dots instead of slashes."""

    def rename(name):
        for old, new in (
            ("encoder/layer_", "encoder/layer/"),
            ("kernel", "weight"),
            ("gamma", "weight"),
            ("beta", "bias"),
            ("embeddings/word_embeddings", "embeddings/word_embeddings/weight"),
            ("token_type_embeddings", "token_type_embeddings/weight"),
            ("position_embeddings", "position_embeddings/weight"),
        ):
            name = name.replace(old, new)
        return name.replace("/", ".")

    return Migration(bert(rename, layers=4))


PUBLIC_LANGUAGE = {
    "DeepSpeech 0.1 to 0.6": deepspeech(),
    "W1, b1, ...": plain_mlp(),
    "Wq, Wk, Wv, Wo": written_out_attention(),
    "NMT": nmt(),
    "char-rnn": char_rnn(),
    "word2vec": word2vec(),
    "Kyubyong's Transformer": kyubyong(),
    "BERT, Hugging Face": hugging_face_bert(),
    "T5": t5(),
    "ALBERT": albert(),
    "Transformer, official": official_transformer(),
    "ELMo": elmo(),
    "TextCNN": text_cnn(),
    "BiLSTM-CRF": tagger(),
    "Tacotron": tacotron(),
    "WaveNet": wavenet(),
    "Wide and deep": wide_and_deep(),
    "DeepFM": deep_fm(),
    "EasyRec": easy_rec(),
    "BERT, PyTorch's names": torch_names(),
}
