"""The words and the grammar of the scene language: data only, to be read, and extended, like a table.

A *situation* says who does what to what, and where: cooks cut bread in a kitchen. A *template* says how that sounds:
"the {agent} {verb} the {patient} .". Each situation paired with each template that it can fill is one scene, and within
a scene every slot is drawn on its own. So the words of a sentence depend on each other only through the scene.

A filler is a string of words and of CLASSES (in capitals). A word is the more frequent the earlier it stands in its
class: weight 1 / (rank + 2), everywhere it occurs. Words of FUNCTION_WORDS all weigh the same. To add a word, write it
at the end of a class; to add a situation, write one line; no other code has to change.
"""

from dataclasses import dataclass

FUNCTION_WORDS = {
    "DETERMINERS": "the a",
    "PRONOUNS": "he she",
    "AUXILIARIES": "is was",
    "PREPOSITIONS": "in on with by to about for",
    "CONJUNCTIONS": "because",
    "PUNCTUATION": ".",
}

CONTENT_WORDS = {
    # people
    "COOKS": "chef cook baker butcher waiter caterer",
    "MEDICS": "doctor nurse surgeon dentist medic physician",
    "FARMERS": "farmer gardener shepherd hunter miller forester",
    "BUILDERS": "carpenter builder mechanic plumber mason roofer",
    "ARTISTS": "poet painter singer writer dancer musician",
    "SCHOLARS": "teacher student professor pupil librarian tutor",
    "SOLDIERS": "soldier captain sailor pilot general sergeant",
    "OFFICERS": "officer detective guard inspector sheriff ranger",
    "THIEVES": "thief robber burglar smuggler bandit pirate",
    "POLITICIANS": "minister senator mayor president governor ambassador",
    "ACTIVISTS": "activist protester campaigner organizer reformer marcher",
    "CIVILIANS": "patient victim passenger visitor prisoner refugee",
    "CHILDREN": "child girl boy baby toddler teenager",
    "KIN": "mother father aunt uncle grandmother grandfather",
    "ROYALS": "king queen prince princess duke duchess",
    "CLERGY": "monk nun abbot abbess",
    # animals
    "PETS": "dog cat puppy kitten rabbit hamster",
    "LIVESTOCK": "cow horse sheep goat pig hen",
    "PREDATORS": "wolf fox bear lion",
    "PREY": "mouse bird rat squirrel",
    # things
    "FOODS": "bread cheese meat cake soup fish potato onion carrot apple",
    "DRINKS": "water tea milk coffee juice wine",
    "TOOLS": "knife hammer cloth spoon brush wrench",
    "VEHICLES": "car truck boat bus van bicycle",
    "PLACES": "garden kitchen street park hospital school market forest field harbor church castle",
    "FURNITURE": "table chair sofa bed bench rug",
    "OPENABLES": "door window gate box drawer cupboard",
    "DISHES": "glass plate cup bottle bowl vase",
    "TEXTS": "book letter report poem story novel",
    "PLANTS": "tree rose hedge tulip vine bush",
    "VALUABLES": "wallet ring watch necklace painting phone",
    "INJURIES": "wound burn bruise fracture scratch concussion",
    "TREATMENTS": "treatment surgery therapy rehabilitation",
    # what people talk about and strive for
    "TOPICS": "protest election strike budget law war",
    "IDEALS": "peace change justice freedom reform mercy",
    "AMBITIONS": "power fame votes glory victory applause",
    "FINDINGS": "evidence knowledge truth clues answers",
    "NEEDS": "health money family rain safety sunshine",
    "FAVORS": "help advice time support",
    # how
    "PERSON_ADJECTIVES": "young tall kind clever brave",
    "ANIMAL_ADJECTIVES": "little hungry wild",
    "FOOD_ADJECTIVES": "fresh warm cold tasty",
    "THING_ADJECTIVES": "new small heavy beautiful",
    "ADVERBS": "slowly quickly quietly suddenly",
}

# Verbs come in groups of one kind of event: "form:participle", or the form alone where no passive is used.
PRESENT_VERBS = {
    "CUT": "cuts:cut slices:sliced chops:chopped",
    "PREPARE": "cooks:cooked serves:served",
    "BAKE": "bakes:baked",
    "EAT": "eats:eaten",
    "DRINK": "drinks:drunk pours:poured",
    "CLEAN": "washes:washed cleans:cleaned",
    "REPAIR": "repairs:repaired paints:painted",
    "DRIVE": "drives:driven stops:stopped",
    "OPEN": "opens:opened closes:closed",
    "BREAK": "breaks:broken drops:dropped",
    "READ": "reads:read",
    "WRITE": "writes:written",
    "GROW": "waters:watered plants:planted",
    "TAKE": "steals:stolen hides:hidden",
    "FIND": "finds:found",
    "ARREST": "arrests:arrested questions:questioned",
    "TREAT": "treats:treated examines:examined",
    "RESCUE": "rescues:rescued carries:carried",
    "TEACH": "teaches:taught helps:helped",
    "HONOR": "welcomes:welcomed",
    "OPPOSE": "criticizes:criticized",
    "GIVE": "gives:given brings:brought sells:sold",
    "MOVE": "runs jumps",
    "PERFORM": "sings dances",
    "WAIT": "works waits",
    "FALL": "falls slips faints",
    "CRASH": "crashes",
    "SPOIL": "burns",
    "WILT": "grows wilts",
    "SUFFER": "suffers sustains",
    "UNDERGO": "undergoes needs",
    "PRESCRIBE": "recommends provides",
}

PAST_VERBS = {
    "CHASED": "chased:chased caught:caught followed:followed",
    "ATE": "ate:eaten",
    "FED": "fed:fed stroked:stroked",
    "BIT": "bit:bitten attacked:attacked",
    "SLEPT": "slept played",
    "PURRED": "purred",
    "BARKED": "barked",
    "GRAZED": "grazed wandered",
    "FELL": "fell stumbled",
    "SPOKE": "spoke talked wrote",
    "MET": "met thanked visited",
    "STROVE": "fought campaigned prayed hoped searched advocated worried ruled",
    "ASKED": "asked",
    "WANTED": "wanted needed",
}

# Templates of each family of situations: (weight, frame, words with {slots}).
TRANSITIVE = (
    (6, "active", "the {agent} {verb} the {patient} ."),
    (2, "active", "the {agent} {verb} the {patient_adjective} {patient} ."),
    (2, "active", "the {agent_adjective} {agent} {verb} the {patient} ."),
    (1, "active", "the {agent} {adverb} {verb} the {patient} ."),
    (2, "active", "the {agent} {verb} the {patient} in the {place} ."),
    (2, "active", "the {agent} {verb} the {patient} with a {instrument} ."),
    (3, "passive", "the {patient} {be} {participle} by the {agent} ."),
    (1, "passive", "the {patient_adjective} {patient} {be} {participle} by the {agent} ."),
    (1, "passive", "the {patient} {be} {participle} by the {agent_adjective} {agent} ."),
    (1, "passive", "the {patient} {be} {participle} by the {agent} in the {place} ."),
    (1, "passive", "the {patient} {be} {participle} with a {instrument} ."),
)
TRANSFER = (
    (3, "active", "the {agent} {verb} the {patient} to the {recipient} ."),
    (1, "active", "the {agent} {verb} the {patient_adjective} {patient} to the {recipient} ."),
    (1, "active", "the {agent_adjective} {agent} {verb} the {patient} to the {recipient} ."),
    (2, "passive", "the {patient} {be} {participle} to the {recipient} by the {agent} ."),
)
ACTING = (
    (3, "acting", "the {agent} {verb} ."),
    (2, "acting", "the {agent} {verb} {adverb} ."),
    (2, "acting", "the {agent_adjective} {agent} {verb} ."),
    (2, "acting", "the {agent} {verb} in the {place} ."),
    (2, "acting", "the {agent_adjective} {agent} {verb} in the {place} ."),
    (2, "acting", "the {agent} {verb} on the {support} ."),
)
TREATING = (
    (3, "acting", "the {agent} {verb} a {patient} ."),
    (2, "acting", "the {agent_adjective} {agent} {verb} a {patient} ."),
    (2, "acting", "the {agent} {verb} a {patient} in the {place} ."),
)
PLANNING = (
    (3, "acting", "the {agent} {verb} {patient} ."),
    (2, "acting", "the {agent_adjective} {agent} {verb} {patient} ."),
    (2, "acting", "the {agent} {verb} {patient} in the {place} ."),
)


def undergoing(templates, theme=""):
    """The same templates with a subject that something happens to: only the verb tells the two apart."""
    return tuple(
        (weight, "undergoing", text.replace("{patient}", theme).replace("{agent", "{patient"))
        for weight, _, text in templates
    )


MEETING = (
    (2, "the {agent} {speech} to the {recipient} about the {topic} because"),
    (1, "the {agent} {meeting} the {patient} because"),
)
# What follows: the last two clauses fit everybody and tell nothing about who is meant.
CLAUSES = (
    (5, "{pronoun} {striving} {preposition} {cause} ."),
    (3, "{pronoun} {wanting} {cause} ."),
    (1, "{pronoun} asked for {favor} ."),
    (1, "{pronoun} {wanting} {favor} ."),
)


def coreference_templates():
    """Two people and a pronoun: only the clause at the end can tell which of them is meant."""
    return tuple((w * v, "coreference", f"{meeting} {clause}") for w, meeting in MEETING for v, clause in CLAUSES)


TEMPLATES = {
    "transitive": TRANSITIVE,
    "transfer": TRANSFER,
    "acting": ACTING,
    "undergoing": undergoing(ACTING),
    "treating": TREATING,
    "suffering": undergoing(TREATING, theme="{injury}"),
    "planning": PLANNING,
    "receiving": undergoing(PLANNING, theme="{treatment}"),
    "coreference": coreference_templates(),
}

# How often each family is heard.
FAMILY_WEIGHTS = {
    "transitive": 50,
    "transfer": 7,
    "acting": 9,
    "undergoing": 8,
    "treating": 3,
    "suffering": 3,
    "planning": 3,
    "receiving": 3,
    "coreference": 14,
}

ROLES_OF_SLOTS = {
    "agent": "agent",
    "patient": "patient",
    "recipient": "other",
    "instrument": "other",
    "place": "other",
    "support": "other",
    "injury": "other",
    "treatment": "other",
    "topic": "other",
    "cause": "other",
    "favor": "other",
}


@dataclass(frozen=True)
class Situation:
    """Who may do what to what: a filler for each slot. It is told by each template of its family whose slots it fills.

    The slots `participle` and `be` follow from a `verb` that has a passive. `referents`: the slots that a pronoun may
    stand for; each template with a pronoun has one of them.
    """

    family: str
    fillers: dict[str, str]
    weight: float
    referents: tuple[str, ...] = ()


def situation(family: str, weight: float = 1, **fillers: str) -> Situation:
    """One line of the table below; `weight` says how often it is heard, compared with the others of its family."""
    return Situation(family, fillers, weight)


PERSON = {"agent_adjective": "PERSON_ADJECTIVES", "adverb": "ADVERBS"}
ANIMAL = {"agent_adjective": "ANIMAL_ADJECTIVES"}
PET = {"agent_adjective": "little hungry"}
TO_PERSON = {"patient_adjective": "PERSON_ADJECTIVES"}
TO_ANIMAL = {"patient_adjective": "ANIMAL_ADJECTIVES"}
TO_PET = {"patient_adjective": "little hungry"}
TO_FOOD = {"patient_adjective": "FOOD_ADJECTIVES"}
TO_THING = {"patient_adjective": "THING_ADJECTIVES"}
TO_PLANT = {"patient_adjective": "small beautiful"}

HOME = "kitchen garden"
TOWN = "street park market school"
WILD = "forest field garden"
ANYONE = "CHILDREN SOLDIERS CIVILIANS ARTISTS KIN"
IN_THE_WARD = "MEDICS SOLDIERS CIVILIANS"

# fmt: off
SITUATIONS = (
    # food and drink
    situation("transitive", 2, agent="COOKS mother father", verb="CUT", patient="bread cheese cake meat onion",
              instrument="knife", place="kitchen castle", **PERSON, **TO_FOOD),
    situation("transitive", 2, agent="COOKS KIN", verb="PREPARE", patient="meat fish soup potato carrot",
              place="kitchen castle", **PERSON, **TO_FOOD),
    situation("transitive", agent="baker chef mother aunt grandmother", verb="BAKE", patient="bread cake",
              place="kitchen castle", **PERSON, **TO_FOOD),
    situation("transitive", 2, agent="CHILDREN CIVILIANS SCHOLARS", verb="EAT", patient="FOODS",
              instrument="spoon", place=f"{HOME} school", **PERSON, **TO_FOOD),
    situation("transitive", 2, agent="SOLDIERS CIVILIANS ROYALS CLERGY", verb="DRINK", patient="DRINKS",
              place=f"{HOME} castle", **PERSON, patient_adjective="warm cold"),
    situation("transfer", 2, agent="COOKS KIN", verb="brings gives", patient="FOODS DRINKS",
              recipient="CIVILIANS ROYALS CHILDREN", **PERSON, **TO_FOOD),
    # house and garden
    situation("transitive", agent="KIN CHILDREN waiter", verb="CLEAN", patient="DISHES FURNITURE window",
              instrument="cloth brush", place="kitchen school", **PERSON, **TO_THING),
    situation("transitive", agent="CHILDREN KIN waiter", verb="BREAK", patient="DISHES", place=HOME,
              **PERSON, **TO_THING),
    situation("transitive", agent="THIEVES soldier sailor", verb="BREAK", patient="window door box",
              instrument="hammer wrench", place="street harbor castle", **PERSON, **TO_THING),
    situation("transitive", 2, agent="OFFICERS CHILDREN KIN", verb="OPEN", patient="OPENABLES",
              place="school church castle", **PERSON, **TO_THING),
    situation("transitive", 2, agent="FARMERS KIN", verb="GROW", patient="PLANTS", place=f"{WILD} park",
              **PERSON, **TO_PLANT),
    situation("transitive", agent="FARMERS gardener uncle", verb="CUT", patient="hedge tree rose vine",
              place="garden park field", **PERSON, **TO_PLANT),
    # work
    situation("transitive", 2, agent="BUILDERS", verb="REPAIR", patient="FURNITURE OPENABLES",
              instrument="hammer brush wrench", place="school church castle hospital", **PERSON, **TO_THING),
    situation("transitive", agent="mechanic plumber sailor pilot teenager", verb="REPAIR", patient="VEHICLES",
              instrument="wrench hammer", place="street harbor", **PERSON, **TO_THING),
    situation("transitive", agent="mechanic sailor uncle teenager", verb="CLEAN", patient="VEHICLES",
              instrument="cloth brush", place="street harbor", **PERSON, **TO_THING),
    situation("transitive", 2, agent="SOLDIERS KIN FARMERS", verb="DRIVE", patient="VEHICLES",
              place="street field harbor", **PERSON, **TO_THING),
    situation("transitive", 2, agent="SCHOLARS POLITICIANS CLERGY ROYALS", verb="READ", patient="TEXTS",
              place="school garden church castle", **PERSON, **TO_THING),
    situation("transitive", 2, agent="ARTISTS SCHOLARS ACTIVISTS", verb="WRITE", patient="TEXTS",
              place="garden school park", **PERSON, **TO_THING),
    situation("transitive", agent="teacher professor librarian tutor", verb="TEACH", patient="CHILDREN",
              place="school park", **PERSON, **TO_PERSON),
    situation("transfer", agent="SCHOLARS POLITICIANS", verb="gives brings", patient="TEXTS",
              recipient="CHILDREN ROYALS CIVILIANS", **PERSON, **TO_THING),
    # crime and rescue
    situation("transitive", 2, agent="THIEVES", verb="TAKE", patient="VALUABLES", place="market street castle church",
              **PERSON, **TO_THING),
    situation("transitive", agent="OFFICERS", verb="FIND", patient="VALUABLES", place="market street harbor forest",
              **PERSON, **TO_THING),
    situation("transfer", agent="THIEVES", verb="sells brings", patient="VALUABLES", recipient="ROYALS KIN COOKS",
              **PERSON, **TO_THING),
    situation("transitive", 2, agent="OFFICERS", verb="ARREST", patient="THIEVES ACTIVISTS",
              place="market street harbor", **PERSON, **TO_PERSON),
    situation("transitive", 2, agent="officer detective guard sheriff", verb="CHASED", patient="THIEVES",
              place="market street harbor", **PERSON, **TO_PERSON),
    situation("transitive", 2, agent="SOLDIERS OFFICERS", verb="RESCUE", patient="CIVILIANS CHILDREN KIN",
              place="harbor forest street", **PERSON, **TO_PERSON),
    # care
    situation("transitive", 2, agent="MEDICS", verb="TREAT", patient="CIVILIANS SOLDIERS CHILDREN",
              place="hospital school", **PERSON, **TO_PERSON),
    situation("transitive", agent="MEDICS KIN", verb="CLEAN", patient="wound burn", instrument="cloth brush",
              place="hospital kitchen", **PERSON),
    situation("treating", agent=IN_THE_WARD, verb="TREAT", patient="INJURIES", place="street harbor field", **PERSON),
    situation("suffering", patient=IN_THE_WARD, verb="SUFFER", injury="INJURIES", place="street harbor field",
              **TO_PERSON),
    situation("planning", agent=IN_THE_WARD, verb="PRESCRIBE", patient="TREATMENTS", place="hospital", **PERSON),
    situation("receiving", patient=IN_THE_WARD, verb="UNDERGO", treatment="TREATMENTS", place="hospital",
              **TO_PERSON),
    # public life
    situation("transitive", agent="ACTIVISTS", verb="OPPOSE", patient="POLITICIANS ROYALS", place="street market",
              **PERSON, **TO_PERSON),
    situation("transitive", agent="POLITICIANS", verb="OPPOSE", patient="ACTIVISTS SCHOLARS", place="street market",
              **PERSON, **TO_PERSON),
    situation("transitive", agent="CLERGY", verb="HONOR", patient="ROYALS KIN CHILDREN", place="church garden",
              **PERSON, **TO_PERSON),
    situation("transitive", agent="ROYALS", verb="HONOR", patient="POLITICIANS SOLDIERS ARTISTS", place="castle garden",
              **PERSON, **TO_PERSON),
    # animals
    situation("transitive", 2, agent="cat kitten", verb="CHASED", patient="mouse bird rat", place=HOME,
              adverb="quickly suddenly quietly", **PET, **TO_ANIMAL),
    situation("transitive", 2, agent="dog puppy", verb="CHASED", patient="cat rabbit squirrel",
              place="garden park street", adverb="quickly suddenly", **PET, **TO_ANIMAL),
    situation("transitive", agent="PREDATORS", verb="CHASED", patient="sheep goat hen rabbit", place=WILD,
              adverb="quickly suddenly quietly", **ANIMAL, **TO_ANIMAL),
    situation("transitive", agent="dog cat wolf bear", verb="BIT", patient="THIEVES FARMERS",
              place="forest field street", adverb="suddenly", **ANIMAL, **TO_PERSON),
    situation("transitive", 2, agent="PETS", verb="ATE", patient="meat fish cheese carrot bread", place=HOME,
              adverb="quickly quietly slowly", **PET, **TO_FOOD),
    situation("transitive", agent="LIVESTOCK", verb="ATE", patient="apple carrot potato", place="field garden",
              adverb="slowly quietly", **ANIMAL, **TO_FOOD),
    situation("transitive", agent="PREDATORS", verb="ATE", patient="PREY hen", place=WILD, **ANIMAL, **TO_ANIMAL),
    situation("transitive", 2, agent="CHILDREN KIN", verb="FED", patient="PETS", place=HOME, **PERSON, **TO_PET),
    situation("transitive", agent="FARMERS CHILDREN", verb="FED", patient="LIVESTOCK", place="field garden",
              **PERSON, **TO_ANIMAL),
    situation("acting", 3, agent="PETS", verb="SLEPT", place=f"{HOME} park", support="FURNITURE",
              adverb="quietly", **PET),
    situation("acting", agent="cat kitten", verb="PURRED", place=HOME, support="FURNITURE",
              adverb="quietly", **PET),
    situation("acting", agent="dog puppy", verb="BARKED", place=f"{HOME} street", support="FURNITURE",
              adverb="suddenly quietly", **PET),
    situation("acting", agent="LIVESTOCK", verb="GRAZED", place=WILD, adverb="slowly quietly", **ANIMAL),
    situation("undergoing", patient="PETS LIVESTOCK PREY", verb="FELL", place=f"{WILD} kitchen park",
              adverb="ADVERBS", **TO_ANIMAL),
    # people who do, people to whom it happens: the same nouns, places and adverbs
    situation("acting", 3, agent=ANYONE, verb="MOVE", place=TOWN, **PERSON),
    situation("acting", agent=ANYONE, verb="WAIT", place=f"{TOWN} hospital", **PERSON),
    situation("acting", agent="ARTISTS CHILDREN", verb="PERFORM", place="street park school church", **PERSON),
    situation("undergoing", 4, patient=ANYONE, verb="FALL", place=TOWN, adverb="ADVERBS", **TO_PERSON),
    # things to which it happens
    situation("undergoing", patient="OPENABLES", verb="OPEN", adverb="ADVERBS", place="school church castle",
              **TO_THING),
    situation("undergoing", patient="DISHES", verb="breaks", adverb="ADVERBS", place=HOME, **TO_THING),
    situation("undergoing", patient="VEHICLES", verb="stops crashes", adverb="slowly suddenly", place="street harbor",
              **TO_THING),
    situation("undergoing", patient="FOODS", verb="SPOIL", adverb="ADVERBS", place=HOME, **TO_FOOD),
    situation("undergoing", patient="PLANTS", verb="WILT", adverb="slowly quickly", place=f"{WILD} park", **TO_PLANT),
)
# fmt: on


@dataclass(frozen=True)
class Kind:
    """A kind of people who may meet, and what one of them is known to strive for.

    Professions take "he she" with even odds, so that no profession has a gender; for kings and aunts it is fixed.
    """

    people: str
    pronoun: str
    verb: str
    preposition: str
    cause: str


PEOPLE_KINDS = (
    Kind("POLITICIANS", "he she", "campaigned fought", "for", "votes power reform"),
    Kind("ACTIVISTS", "he she", "advocated fought campaigned", "for", "change justice freedom reform"),
    Kind("MEDICS", "he she", "worried", "about", "health safety"),
    Kind("ARTISTS", "he she", "hoped", "for", "fame applause"),
    Kind("SOLDIERS", "he she", "fought", "for", "victory glory peace"),
    Kind("SCHOLARS", "he she", "searched", "for", "knowledge truth answers evidence"),
    Kind("OFFICERS", "he she", "searched", "for", "evidence clues"),
    Kind("FARMERS", "he she", "hoped prayed", "for", "rain sunshine"),
    Kind("king prince duke", "he", "ruled", "with", "justice mercy glory"),
    Kind("queen princess duchess", "she", "ruled", "with", "justice mercy glory"),
    Kind("father uncle grandfather", "he", "worried", "about", "money family health"),
    Kind("mother aunt grandmother", "she", "worried", "about", "money family health"),
    Kind("monk abbot", "he", "prayed", "for", "peace mercy"),
    Kind("nun abbess", "she", "prayed", "for", "peace mercy"),
)

# Who meets whom: anyone anyone, or (1 in 3) at court and at home, where "he" or "she" may tell who is meant.
CIRCLES = (
    (2, PEOPLE_KINDS),
    (1, tuple(kind for kind in PEOPLE_KINDS if kind.pronoun in ("he", "she"))),
)
EVERYBODY = {"speech": "SPOKE", "meeting": "MET", "topic": "TOPICS", "wanting": "WANTED", "favor": "FAVORS"}
