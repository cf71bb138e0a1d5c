"""All families of shapes, by department: the category tree.

A family is on one side of the split with all of its kinds, whatever the seed, so that no shape is known from training.
"""

from __future__ import annotations

from embedder.catalogs.product import Split
from embedder.datasets.studio.shapes import (
    accessories,
    clothing,
    decoration,
    figures,
    furniture,
    garden,
    jewellery,
    kitchen,
    playthings,
    vehicles,
    workshop,
)
from embedder.datasets.studio.shapes.form import Draw, Family


def _family(category: str, split: Split, draw: Draw, materials: str, kinds: str) -> Family:
    department, _, name = category.partition("/")
    return Family(department, name, tuple(kinds.split(", ")), split, draw, tuple(materials.split(", ")))


FAMILIES = (
    _family(
        "clothing/hats",
        "test",
        clothing.draw_hat,
        "felt, wool, straw, cotton",
        "beanie, baseball cap, bowler hat, top hat, sun hat, party hat, bucket hat, cowboy hat, crown",
    ),
    _family(
        "clothing/tops",
        "train",
        clothing.draw_shirt,
        "cotton, wool, silk, denim",
        "T-shirt, long-sleeved shirt, tank top, polo shirt, hoodie, cardigan, waistcoat",
    ),
    _family(
        "clothing/trousers",
        "validation",
        clothing.draw_trousers,
        "cotton, wool, silk, denim",
        "pair of trousers, pair of shorts, pair of dungarees, "
        "pair of leggings, pair of flared trousers, pair of capri trousers",
    ),
    _family(
        "clothing/dresses",
        "test",
        clothing.draw_dress,
        "cotton, wool, silk, denim",
        "summer dress, pleated skirt, evening gown, pinafore dress",
    ),
    _family(
        "clothing/shoes",
        "train",
        accessories.draw_shoe,
        "leather, suede, canvas",
        "sneaker, boot, rubber boot, ankle boot, high heel, sandal, slipper",
    ),
    _family(
        "clothing/accessories",
        "train",
        accessories.draw_hand_and_foot_wear,
        "cotton, wool, silk, denim",
        "sock, scarf, tie, mitten, glove",
    ),
    _family(
        "clothing/bags",
        "test",
        accessories.draw_bag,
        "leather, suede, canvas",
        "suitcase, backpack, pouch, satchel, handbag, tote bag",
    ),
    _family(
        "kitchen/cups",
        "train",
        kitchen.draw_mug,
        "ceramic, stoneware, enamel",
        "mug, espresso cup, teacup, beer stein",
    ),
    _family(
        "kitchen/bottles",
        "test",
        kitchen.draw_bottle,
        "glass, crystal, ceramic",
        "wine bottle, water bottle, perfume bottle, flask, milk bottle, jar",
    ),
    _family(
        "kitchen/pots",
        "test",
        kitchen.draw_pot,
        "enamel, ceramic, tin",
        "teapot, coffee pot, kettle, watering can",
    ),
    _family(
        "kitchen/glasses",
        "train",
        kitchen.draw_glass,
        "glass, crystal, ceramic",
        "wine glass, cocktail glass, champagne flute, goblet, sundae glass",
    ),
    _family(
        "kitchen/pans",
        "validation",
        kitchen.draw_pan,
        "enamel, steel, copper",
        "frying pan, wok, saucepan, casserole, stockpot",
    ),
    _family(
        "kitchen/utensils",
        "test",
        kitchen.draw_cutlery,
        "wood, bamboo, lacquer",
        "spoon, fork, kitchen knife, whisk, ladle, spatula",
    ),
    _family(
        "kitchen/pastry",
        "train",
        kitchen.draw_cake,
        "sugar, marzipan, chocolate",
        "cupcake, doughnut, layer cake, ice cream cone",
    ),
    _family(
        "home/lamps",
        "test",
        furniture.draw_lamp,
        "paper, brass, glass",
        "table lamp, floor lamp, pendant lamp, desk lamp, lantern, mushroom lamp",
    ),
    _family(
        "home/seats",
        "train",
        furniture.draw_chair,
        "wood, leather, plastic",
        "dining chair, stool, armchair, rocking chair, office chair",
    ),
    _family(
        "home/cabinets",
        "test",
        furniture.draw_cabinet,
        "wood, bamboo, lacquer",
        "table, desk, bookshelf, wardrobe, chest of drawers, bedside table",
    ),
    _family(
        "home/vases",
        "train",
        decoration.draw_vase,
        "ceramic, stoneware, enamel",
        "bud vase, urn, cylinder vase, amphora, bowl, ginger jar",
    ),
    _family(
        "home/clocks",
        "test",
        decoration.draw_clock,
        "wood, brass, plastic",
        "wall clock, alarm clock, grandfather clock, cuckoo clock",
    ),
    _family(
        "home/textiles",
        "train",
        decoration.draw_cushion,
        "cotton, wool, velvet",
        "square cushion, round cushion, bolster, oval rug, fringed rug",
    ),
    _family(
        "home/mirrors and pictures",
        "validation",
        decoration.draw_mirror,
        "wood, brass, lacquer",
        "hand mirror, oval mirror, sunburst mirror, framed picture",
    ),
    _family(
        "toys/robots",
        "test",
        figures.draw_robot,
        "tin, plastic, steel",
        "walking robot, wheeled robot, tracked robot, one-eyed robot",
    ),
    _family(
        "toys/plush animals",
        "train",
        figures.draw_doll,
        "plush, wool, felt",
        "teddy bear, plush cat, plush rabbit, plush dog, plush elephant, plush owl",
    ),
    _family(
        "toys/toy animals",
        "test",
        figures.draw_animal,
        "plastic, wood, tin",
        "toy fish, toy whale, toy bird, toy snail, toy turtle, toy horse, toy giraffe, toy dachshund",
    ),
    _family(
        "toys/toy vehicles",
        "train",
        vehicles.draw_vehicle,
        "plastic, wood, tin",
        "toy car, toy bus, toy lorry, tipper lorry, tractor, steam engine, racing car",
    ),
    _family(
        "toys/boats",
        "test",
        vehicles.draw_boat,
        "plastic, wood, tin",
        "sailing boat, steamer, submarine, rowing boat, galleon",
    ),
    _family(
        "toys/flying toys",
        "train",
        vehicles.draw_flyer,
        "paper, plastic, tin",
        "kite, hot-air balloon, toy rocket, toy aeroplane, toy helicopter",
    ),
    _family(
        "toys/toy houses",
        "test",
        playthings.draw_house,
        "wood, cardboard, plastic",
        "doll's house, bird house, toy castle, windmill, mushroom house",
    ),
    _family(
        "toys/small toys",
        "validation",
        playthings.draw_spinner,
        "plastic, wood, tin",
        "spinning top, pinwheel, rattle, yo-yo, stacking toy",
    ),
    _family(
        "ornaments/watches",
        "test",
        jewellery.draw_watch,
        "steel, gold, plastic",
        "pocket watch, digital watch, diver's watch, dress watch, square watch",
    ),
    _family(
        "ornaments/pendants",
        "train",
        jewellery.draw_pendant,
        "silver, gold, enamel",
        "heart pendant, star pendant, drop pendant, moon pendant, "
        "flower pendant, shield pendant, gem pendant, leaf pendant",
    ),
    _family(
        "ornaments/rings and earrings",
        "test",
        jewellery.draw_ring,
        "silver, gold, glass",
        "signet ring, gem ring, pair of hoop earrings, pair of drop earrings",
    ),
    _family(
        "ornaments/brooches",
        "validation",
        jewellery.draw_brooch,
        "enamel, glass, silver",
        "rosette brooch, trefoil brooch, cross brooch, snowflake brooch, cinquefoil brooch",
    ),
    _family(
        "ornaments/figures",
        "train",
        decoration.draw_figurine,
        "brass, marble, wood",
        "trophy, bell, candlestick, chess pawn, chess rook, chess bishop, chess queen",
    ),
    _family(
        "ornaments/eyewear",
        "test",
        accessories.draw_glasses,
        "plastic, steel, wood",
        "pair of round glasses, pair of square glasses, pair of cat-eye glasses, "
        "pair of aviator sunglasses, carnival mask, pair of headphones",
    ),
    _family(
        "outdoors/plants",
        "train",
        garden.draw_plant,
        "silk, paper, felt",
        "potted cactus, potted palm, potted tree, potted tulip, potted daisy",
    ),
    _family(
        "outdoors/shelter",
        "test",
        garden.draw_umbrella,
        "nylon, canvas, paper",
        "umbrella, parasol, folding fan, ridge tent, tipi",
    ),
    _family(
        "outdoors/tools",
        "train",
        workshop.draw_tool,
        "wood, rubber, plastic",
        "hammer, axe, shovel, spanner, saw, screwdriver, paint brush, trowel",
    ),
    _family(
        "outdoors/instruments",
        "test",
        workshop.draw_instrument,
        "wood, brass, lacquer",
        "guitar, violin, banjo, drum, trumpet, xylophone, accordion",
    ),
    _family(
        "outdoors/sports",
        "train",
        playthings.draw_sports,
        "leather, rubber, plastic",
        "racket, table tennis bat, beach ball, football, skateboard, surfboard, scooter",
    ),
    _family(
        "outdoors/hardware",
        "train",
        workshop.draw_lock,
        "steel, brass, copper",
        "key, padlock, horseshoe magnet, anchor, gear wheel",
    ),
    _family(
        "outdoors/bicycles and carts",
        "test",
        vehicles.draw_bicycle,
        "steel, wood, lacquer",
        "bicycle, penny-farthing, wheelbarrow, pram",
    ),
)
"""Every family, in the order of the tree."""


def shape_of(kind: str) -> str:
    """The name that a family's function knows a kind by: "pair of shorts" is "shorts"."""
    return kind.removeprefix("pair of ")
