"""What tensorflow-estimator 2.15.0 finds missing in TensorFlow 2.16 and later.

TensorFlow 2.16 removed `tf.estimator` and a few modules that only Estimator used. The
package tensorflow-estimator still installs beside any TensorFlow; with these modules in
place it runs as it did on 2.15. One file per thing that is missing:

    import_hook             puts ours in place when the import system asks for theirs
    installation            what is installed, told without importing TensorFlow
    api_names               `tf.estimator`, in each of TensorFlow's API modules
    legacy_keras            `tf.keras` must be tf-keras
    estimator_training      tensorflow.python.distribute.estimator_training
    tpu_embedding, tpu_embedding_gradient, session_support
                            those of tensorflow.python.tpu
    input_pipeline_hook     tf.data.experimental.CheckpointInputPipelineHook
    no_tpu                  use_tpu=True is refused in one sentence
    forwarders              tensorflow.python.estimator.**, tensorflow.python.tpu.*
    deprecations            hundreds of warnings, as one line
    load_context            what tf-keras 2.15.0 calls
    older_calls             what tf-keras 2.15.0 takes from Python and NumPy
    private_names           names of TensorFlow's that moved
    graph_text              tf.io.write_graph where protobuf 7 is installed

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0. None of these modules
imports TensorFlow before a job does; none does anything where TensorFlow is 2.15 or
earlier, which has all of it.
"""
