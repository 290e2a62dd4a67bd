"""Asks an MLflow server what it knows of the runs of the experiment `shakedrop`."""
from mlflow.tracking import MlflowClient

client = MlflowClient()
experiment = client.get_experiment_by_name("shakedrop")
runs = client.search_runs([experiment.experiment_id])
assert len(runs) == 1, f"{len(runs)} runs"
run = runs[0]
print(run.info.run_name, run.info.status, len(run.data.params), "parameters, train.epochs", run.data.params["train.epochs"])
for key in sorted(run.data.metrics):
    history = client.get_metric_history(run.info.run_id, key)
    steps = [metric.step for metric in history]
    print(f"{key}: {len(steps)} points, the last one {run.data.metrics[key]:.4f} at step {max(steps)}")
