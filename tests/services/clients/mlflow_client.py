"""What a user of MLflow does: log a run, put an artifact, get it back.

It knows the server by MLflow's variables only. Its last line is what it read back, as JSON.
Arguments: the file to put, the folder to get it into.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import mlflow


def main(file: str, folder: str) -> None:
    """Log, put, get, print."""
    mlflow.set_experiment("through the proxy")
    with mlflow.start_run() as run:
        mlflow.log_param("learning_rate", 0.1)
        for step in range(5):
            mlflow.log_metric("loss", 2.0**-step, step=step)
        mlflow.log_artifact(file, "models")
    run_id = run.info.run_id
    path = f"models/{Path(file).name}"
    got = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path, dst_path=folder)
    history = mlflow.MlflowClient().get_metric_history(run_id, "loss")
    read = {
        "params": mlflow.get_run(run_id).data.params,
        "losses": [metric.value for metric in history],
        "sha256": hashlib.sha256(Path(got).read_bytes()).hexdigest(),
    }
    sys.stdout.write(f"\n{json.dumps(read)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
