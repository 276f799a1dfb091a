"""What each model is for, from its category, name and size."""

from __future__ import annotations

import re

from scripts.furnished.catalogue import Item

# On these, things can stand.
SUPPORTS = {
    "dining_table", "coffee_table", "desk", "low_cupboard", "shelf", "counter", "bedside",
    "tv_stand", "vanity",
}  # fmt: skip
_SKIP = re.compile(
    r"shower door|shower curtain|escalator|elevator|mailbox|shipping|railing|fence|plug|switch|"
    r"socket|sign|rails|container|chimney$|emergency|wire|hanger|antenna|barrel|water heater|"
    r"mezzanine|tatami|pallet|hook|clothes horse|coathanger|hammock|hanging clothes|suit$|dress$|"
    r"intercom|dimmer|smoke|cctv|surveillance|shower head|ring$|bill |dart|basketball net|"
    r"paper dispenser|number lock|thermometer|table tennis$|abdominal|fitness|flipper|treadmill|"
    r"chandelier|kitchen tools|furnace|towel rack|spiral|shutter|blind|trousers|jacket|skirt|"
    r"short$|socket$|folded umbrella|utensils$|child hut|technical table|urinal|mower",
    re.IGNORECASE,
)
# (category, name, role): the first whose patterns are found; categories are matched whole.
_RULES = [
    ("Bathroom", r"bath$|bathtub|shower stall", "bath"),
    ("Bathroom", r"toilets|bidet", "toilet"),
    ("Bathroom", r"washbasin|vanity", "vanity"),
    ("Bathroom", r"radiator", "radiator"),
    ("Bathroom", r"bathmat", "rug"),
    ("Bathroom", r"basket", "floor_thing"),
    ("Bedroom", r"bedside", "bedside"),
    ("Bedroom", r"rocking bed|crib|bunk|child bed|day bed|convertible|bed$|futon", "bed"),
    ("Bedroom", r"wardrobe|cupboard", "cupboard"),
    ("Bedroom", r"shelves", "shelf"),
    ("Bedroom", r"changing|chest|dressing table", "low_cupboard"),
    ("Bedroom", r"mattress|sleeping|doll house|rocking horse", "floor_thing"),
    ("Kitchen", r"upper|hood|glass door cabinet", "upper_cabinet"),
    ("Kitchen", r"fridge|refrigerator|high cabinet|double oven", "tall_kitchen"),
    (
        "Kitchen",
        r"lower cab|drawers cab|sink|^island|large stove|washing|dryer|^oven|propane",
        "counter",
    ),
    ("Kitchen", r"corner|chest freezer|high chair", None),
    ("Kitchen", r"stool|bar chair", "stool"),
    ("Kitchen", r"trash|broom|shovel|basket", "floor_thing"),
    ("Living room", r"sofa|couch|futon couch", "sofa"),
    ("Living room", r"armchair|puff|ottoman|ryokan|leaf|chair deck", "armchair"),
    ("Living room", r"bar stool|stool|piano bench", "stool"),
    ("Living room", r"chair", "chair"),
    ("Living room", r"bench", "bench"),
    ("Living room", r"bar table", None),
    ("Living room", r"coffee table|ryokan table|living_room_table|children table", "coffee_table"),
    ("Living room", r"keyboard", None),
    ("Living room", r"table", "dining_table"),
    ("Living room", r"tv stand|television cabinet", "tv_stand"),
    ("Living room", r"wall flat tv", "wall_tv"),
    ("Living room", r"^tv( 16:9)?$", "tv"),
    ("Living room", r"bookcase|shelves|contemporary", "shelf"),
    ("Living room", r"dresser|^box", "low_cupboard"),
    ("Living room", r"piano|fireplace|aquarium", "against_wall"),
    ("Living room", r"rug|carpet", "rug"),
    ("Living room", r"christmas|guitar", "floor_thing"),
    ("Office", r"armchair|class seat|chair", "office_chair"),
    ("Office", r"desk|wooden|technical", "desk"),
    ("Office", r"bookcase|^box", "shelf"),
    ("Office", r"filing|safe", "low_cupboard"),
    ("Office", r"imac|ibook|laptop", "computer"),
    ("Office", r"water cooler|white board", "against_wall"),
    ("Office", r"dustbin", "floor_thing"),
    ("Lights", r"hanging|pendant|chandelier|ceiling", "ceiling_lamp"),
    ("Lights", r"street|lamppost|park|porch|outdoor|wall|track|fluorescent|camping", None),
    ("Characters", r"sitting|lying|holding|horse", None),
    ("Characters", r"", "standing"),
    ("Vehicles", r"bike|tricycle|bicycle|stroller|skateboard", "floor_thing"),
    ("Vehicles", r"", None),
    ("Exterior", r"folding chair|rattan armchair|teck chair|cafe chair", "chair"),
    ("Exterior", r"rattan sofa|painted bench", "sofa"),
    ("Exterior", r"rattan table", "coffee_table"),
    ("Exterior", r"cafe table", "dining_table"),
    ("Exterior", r"spray bottle", "small"),
    ("Exterior", r"", None),
    ("Staircases", r"", None),
    ("Doors and windows", r"", None),
    ("Miscellaneous", r"radiator", "radiator"),
    ("Miscellaneous", r"curtain", "curtain"),
    ("Miscellaneous", r"screen|workbench|water heater|ladder|air cond", "against_wall"),
    ("Miscellaneous", r"fan$", "small"),
    ("Miscellaneous", r"pool table|football table", "dining_table"),
]


def role(item: Item) -> str | None:
    """What the model is for; None: it has no place in a room."""
    if _SKIP.search(item.name) or "ceiling fan" in item.name.lower():
        return None
    for category, pattern, found in _RULES:
        if item.category == category and re.search(pattern, item.name, re.IGNORECASE):
            return found
    return _by_size(item)


def _by_size(item: Item) -> str | None:
    """Lamps, plants and things, by how tall and wide they are."""
    width, height, depth = item.size
    widest = max(width, depth)
    if item.elevation > 0.05 or max(item.size) > 2:
        return None
    if height <= 0.55 and widest <= 0.6:
        return "tiny" if max(item.size) < 0.06 else "small"
    if item.category == "Lights":
        return "floor_lamp" if height > 0.8 else "small"
    return "floor_thing" if widest < 1.3 else None
