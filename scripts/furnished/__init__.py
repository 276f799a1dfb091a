"""Furnished rooms from freely licensed meshes, rendered into a manifest that training reads.

Offline data, never shipped. What it needs, outside the project's environment if wished:

    apt-get download sweethome3d-furniture      # models under CC-BY 3.0 and CC0
    dpkg -x sweethome3d-furniture_*.deb PLACE
    pip install --target SITE embreex           # ray tracing, Apache-2.0

    PYTHONPATH=SITE python -m scripts.furnished OUT \
        --furniture PLACE/usr/share/sweethome3d/furniture --frames 20000 --seed 1

The same call goes on where an earlier one was ended.

World: metres, y up, the floor at y = 0, the room from (0, 0, 0) to (width, height, depth).
Materials with an opacity below 0.5 are left out, but opaque in tables and in models smaller than
0.45 m (bottles, drinking glasses). Leaves cut out by an alpha channel are left out, and models of
which they are more than a quarter. CREDITS.txt names the author and licence of every model used.
"""
