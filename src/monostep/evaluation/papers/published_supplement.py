"""Tables A-2, A-3 and A-4 of E2E-FT's supplement, as printed; all of depth.

Source: as in `published_tables`.
"""

from monostep.evaluation.papers.published_tables import (
    DEPTHFM_AGAIN,
    E2E_DEPTH,
    GEOWIZARD_SIZE,
    NOT_BUILT,
    ablation,
    depth,
)

TABLE_A2 = {
    "marigold-e2e": E2E_DEPTH,
    "marigold-e2e-decoder": ablation(
        *("Marigold + E2E FT, decoder fine-tuned", "marigold-e2e-depth"),
        *((5.3, 96.5), (9.6, 91.9), (6.2, 96.0), (5.8, 96.1), (30.2, 77.7)),
        setting="train_decoder=true",
    ),
}
TABLE_A3 = {
    "geowizard-fixed": depth(
        *("GeoWizard + DDIM fix", GEOWIZARD_SIZE),
        *((5.8, 96.1), (13.3, 84.7), (7.8, 94.3), (6.2, 95.7), (32.0, 76.0)),
        seconds=0.254,
        note=NOT_BUILT,
    ),
    "geowizard-e2e": depth(
        *("GeoWizard + E2E FT", GEOWIZARD_SIZE),
        *((5.6, 96.1), (9.8, 91.4), (6.3, 95.7), (5.9, 96.2), (30.6, 77.9)),
        seconds=0.254,
        note=NOT_BUILT,
    ),
}
TABLE_A4 = {
    "depthfm-reproduced": DEPTHFM_AGAIN,
    "depthfm-1x1": depth(
        *("DepthFM, 1 step, no ensemble", "63K"),
        *((7.5, 95.0), (11.6, 87.5), (6.7, 96.0), (8.3, 92.3), (25.3, 77.9)),
        seconds=0.132,
    ),
}
