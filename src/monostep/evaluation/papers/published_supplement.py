"""Tables A-2, A-3 and A-4 of E2E-FT's supplement, as printed; all of depth.

Source: as in `published_tables`.
"""

from monostep.evaluation.papers.published_tables import (
    DEPTHFM_AGAIN,
    E2E_DEPTH,
    GEOWIZARD_E2E,
    GEOWIZARD_FIXED,
    SEPARATE,
    ablation,
    depth,
    registered,
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
    "geowizard-fixed": registered(
        *("GeoWizard + DDIM fix", "A-3", "1 step, trailing", GEOWIZARD_FIXED),
        seconds=0.254,
        note=SEPARATE,
    ),
    "geowizard-e2e": registered(
        *("GeoWizard + E2E FT", "A-3", "1 step", GEOWIZARD_E2E), seconds=0.254, note=SEPARATE
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
