"""In place of tensorflow.python.tpu.session_support: watching over TPU workers.

TPUEstimator imports it, and uses it only with use_tpu=True.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

from estimator_ckpt.tf_private.estimator_runtime.no_tpu import INSTEAD, TPU
from estimator_ckpt.tf_private.estimator_runtime.refusals import (
    refused_class,
    refused_function,
)

CoordinatorResetError = refused_class("CoordinatorResetError", TPU, INSTEAD)
GracefulShutdownHook = refused_class("GracefulShutdownHook", TPU, INSTEAD)
ResetComputation = refused_class("ResetComputation", TPU, INSTEAD)
ShutdownAllWorkers = refused_class("ShutdownAllWorkers", TPU, INSTEAD)
ShutdownLameWorkers = refused_class("ShutdownLameWorkers", TPU, INSTEAD)
WatchdogManager = refused_class("WatchdogManager", TPU, INSTEAD)
WorkerHeartbeatManager = refused_class("WorkerHeartbeatManager", TPU, INSTEAD)

all_worker_devices = refused_function("all_worker_devices", TPU, INSTEAD)
start_worker_watchdog = refused_function("start_worker_watchdog", TPU, INSTEAD)
stop_worker_watchdog = refused_function("stop_worker_watchdog", TPU, INSTEAD)
