"""What the questions of the pairs are about."""

BASES = (
    "What is the capital of France?", "How do I reset my password?", "How can I cancel my subscription?",
    "What are your opening hours on Sunday?", "Explain how photosynthesis works.", "Who wrote Pride and Prejudice?",
    "How do I reverse a list in Python?", "What is the boiling point of water in Celsius?",
    "Summarize the plot of Hamlet.", "Why is the sky blue?", "How do I export my data to a CSV file?",
    "When did the Berlin Wall fall?", "What is the difference between TCP and UDP?",
    "How many ounces are in a pound?", "Give me a recipe for banana bread.",
        "How do I change the language of the app?",
    "What does idempotent mean?", "How do I undo the last git commit?", "Where can I find my invoice?",
    "What is the largest planet in the solar system?", "How do vaccines work?", "Who painted the Mona Lisa?",
    "How long does shipping to Canada take?", "What is the refund policy for damaged items?",
    "Write a haiku about autumn leaves.", "How do I connect to a Postgres database from Java?",
    "What are the symptoms of iron deficiency?", "Convert 25 miles to kilometers.",
    "What is compound interest?", "How do I center a div with CSS?", "Which vitamins are found in oranges?",
    "How do I upload a profile picture?", "What is the speed of light?", "Describe the water cycle.",
    "How do I merge two dictionaries in Python?", "What is the plural of cactus?",
    "How do I delete my account?", "Who discovered penicillin?", "What is a black hole?",
    "How do I add a second user to my team?", "What causes inflation?", "How do I sort an array in JavaScript?",
    "List the ingredients of a margarita.", "How far is the Moon from the Earth?",
    "What is the population of Brazil?", "How do I track my order?", "Explain recursion to a beginner.",
    "What are the side effects of ibuprofen?", "How do I mount a USB drive on Linux?",
    "Why do leaves change colour in autumn?", "What does the HTTP status code 429 mean?",
    "How do I write a cover letter for a nursing job?", "Which countries share a border with Spain?",
    "What is the chemical symbol for gold?", "How do I renew my passport?",
        "What is a good substitute for eggs in a cake?",
    "How do I install Docker on Ubuntu?", "What is the theory of relativity?", "Can I change the delivery address?",
    "Is my warranty still valid after a repair?",
)  # fmt: skip
COUNTRIES = ("France", "Germany", "Japan", "Brazil", "Canada", "Kenya", "Norway", "Peru", "Egypt", "Vietnam",
        "Austria",
             "Australia", "Iran", "Iraq", "Niger", "Nigeria")  # fmt: skip
CITIES = (
    "Paris",
    "Berlin",
    "Tokyo",
    "Lima",
    "Oslo",
    "Cairo",
    "Rome",
    "Madrid",
    "Dublin",
    "Vienna",
    "Toronto",
    "Delhi",
)
PEOPLE = ("Alice", "Bob", "Maria", "Ahmed", "Chen", "Olga", "Pedro", "Ingrid", "Kofi", "Yuki")
LANGUAGES = ("Python", "Java", "Rust", "Go", "Ruby", "Kotlin", "Swift", "Perl", "Scala", "Haskell")
TONGUES = (
    "French",
    "German",
    "Spanish",
    "Italian",
    "Polish",
    "Turkish",
    "Korean",
    "Dutch",
    "Greek",
    "Swedish",
)
ANIMALS = ("cat", "dog", "horse", "rabbit", "parrot", "turtle", "hamster", "goldfish", "cow", "sheep")
ATTRIBUTES = (
    "population",
    "area",
    "currency",
    "president",
    "anthem",
    "climate",
    "flag",
    "history",
    "cuisine",
    "economy",
)
ACTIONS = ("reset my password", "cancel my order", "update my address", "download my invoice", "delete my account",
           "change my plan", "verify my email", "add a payment card", "export my contacts", "pause my membership",
           "restore a backup", "share a folder")  # fmt: skip
THINGS = (
    "router",
    "printer",
    "laptop",
    "camera",
    "dishwasher",
    "scanner",
    "thermostat",
    "projector",
    "speaker",
    "drone",
)
DRUGS = ("ibuprofen", "aspirin", "paracetamol", "amoxicillin", "metformin", "insulin", "warfarin", "codeine")
FOODS = ("banana bread", "tomato soup", "apple pie", "fried rice", "lentil curry", "potato salad", "onion rings",
         "carrot cake", "garlic bread", "rice pudding")  # fmt: skip
BOOKS = (
    "Hamlet",
    "Dune",
    "Emma",
    "Dracula",
    "Ulysses",
    "Beloved",
    "Middlemarch",
    "Frankenstein",
    "Macbeth",
    "Othello",
)
ANTONYMS = (
    ("increase", "decrease"), ("open", "close"), ("start", "stop"), ("enable", "disable"), ("upload", "download"),
    ("lock", "unlock"), ("install", "uninstall"), ("connect", "disconnect"), ("mute", "unmute"), ("hide", "show"),
    ("subscribe", "unsubscribe"), ("freeze", "thaw"), ("encrypt", "decrypt"), ("import", "export"), ("lend",
        "borrow"),
    ("accept", "reject"), ("attach", "detach"), ("expand", "collapse"),
)  # fmt: skip
SUPERLATIVES = (
    ("largest", "smallest"), ("longest", "shortest"), ("oldest", "youngest"), ("highest", "lowest"),
    ("fastest", "slowest"), ("best", "worst"), ("cheapest", "dearest"), ("hottest", "coldest"), ("richest",
        "poorest"),
    ("most common", "least common"), ("most popular", "least popular"), ("safest", "most dangerous"),
)  # fmt: skip
