"""absl flags, the training job and the `estimator-ckpt` commands."""
