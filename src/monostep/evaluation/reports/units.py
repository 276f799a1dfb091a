"""How papers print metrics: relative errors and shares in percent, angles in degrees."""

PERCENT = 100.0

_LABELS = {
    "abs_rel": "AbsRel, %",
    "sq_rel": "SqRel, m",
    "rmse_m": "RMSE, m",
    "rmse_log": "RMSE of ln",
    "log10": "log10",
    "i_rmse_per_m": "inverse RMSE, 1/m",
    "silog": "SILog x100",
    "boundary_precision": "boundary precision, %",
    "boundary_recall": "boundary recall, %",
    "boundary_f1": "boundary F1, %",
    "abs_rel_near_edges": "AbsRel near edges, %",
    "abs_rel_off_edges": "AbsRel off edges, %",
    "mean_angle_deg": "mean angle, degrees",
    "median_angle_deg": "median angle, degrees",
    "rmse_angle_deg": "RMSE of angle, degrees",
}
_RELATIVE = ("abs_rel", "delta", "within_", "boundary_")


def label(metric: str) -> str:
    """The metric with its printed unit."""
    if metric.startswith("within_"):
        return f"below {metric.split('_')[1]} degrees, %"
    if metric.startswith("delta"):
        return f"{metric}, %"
    return _LABELS[metric]


def scale(metric: str) -> float:
    """What a value of the reports is multiplied by to be printed."""
    return PERCENT if metric.startswith(_RELATIVE) else 1.0


def printed(metric: str, value: float | None, form: str = "{:.4g}") -> str:
    """A value in its printed unit; a dash for none."""
    return "-" if value is None else form.format(scale(metric) * value)
