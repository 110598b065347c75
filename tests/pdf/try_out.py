"""A small form that has every kind of question, for tests of the paper face that need no real edition."""

from forms.schema import Choice, Control, Form, Kind, Question, Required, Section

YES_NO = (Choice("no", "No"), Choice("yes", "Yes"), Choice("dont_know", "I don't know"))
CONTROL = (
    Choice("yes", "Yes"),
    Choice("partly", "Partly"),
    Choice("no", "No"),
    Choice("dont_know", "Don't know"),
    Choice("not_applicable", "Not applicable"),
)
LEVELS = (
    Choice("none", "None"),
    Choice("low", "Low"),
    Choice("high", "High"),
    Choice("already", "Happening"),
    Choice("dont_know", "Don't know"),
)


def question(id: str, kind: Kind, label: str, **more: object) -> Question:
    return Question(id=id, kind=kind, label=label, short=label[:20], **more)  # type: ignore[arg-type]


NOW = Section(
    id="now",
    title="Part A: tell us now",
    intro="Eleven short questions.",
    stage="A",
    questions=(
        question("A01", Kind.TEXT, "Which organisation is this about?", autocomplete="organization", required=Required.ALWAYS),
        question("A02", Kind.TEXT, "Your name", autocomplete="name"),
        question("A04", Kind.PHONE, "A phone number that we can call"),
        question("A05", Kind.EMAIL, "A safe email address"),
        question("A06", Kind.LONG_TEXT, "What happened?", hint="In plain words", lines=6, max_length=2000),
        question("A07", Kind.CHOICE, "Is anybody in danger now?", choices=YES_NO),
        question(
            "A08",
            Kind.PARTS,
            "When did you find out?",
            parts=(
                question("at", Kind.TIME, "Date and time"),
                question("about", Kind.TICK, "This is about right, not exact"),
                question("zone", Kind.CHOICE, "Where were you?", choices=(Choice("nz", "New Zealand"), Choice("chatham", "Chatham Islands"))),
            ),
        ),
        question(
            "A10",
            Kind.CHOICE,
            "Who may have it?",
            choices=(
                Choice("nobody_outside", "Nobody outside", "It stayed with us, as far as we know"),
                Choice("stranger", "A stranger", "Somebody we know nothing about"),
            ),
        ),
    ),
)  # fmt: skip
LATER = Section(
    id="later",
    title="Part B: details",
    stage="B",
    questions=(
        question("B01", Kind.DATE, "When did it start?"),
        question("B02", Kind.MONTH, "In which month was the last training?"),
        question(
            "B08",
            Kind.MULTI,
            "What kinds of information?",
            choices=(
                Choice("contact", "Contact details"),
                Choice("address_kept_secret", "An address kept secret"),
                Choice("health", "Health"),
            ),
        ),
        question(
            "B10",
            Kind.PARTS,
            "How many people?",
            parts=(
                question("n", Kind.NUMBER, "Number"),
                question("kind", Kind.CHOICE, "Is that exact?", choices=(Choice("exact", "Exact"), Choice("estimate", "An estimate"))),
            ),
        ),
        question(
            "B16",
            Kind.PARTS,
            "What harm could come of it?",
            parts=(
                question("physical", Kind.CHOICE, "Physical harm", choices=LEVELS),
                question("threats", Kind.CHOICE, "Threats", choices=LEVELS),
            ),
        ),
        question(
            "L1-ACCT-01",
            Kind.CHOICE,
            "Does each person have their own login?",
            choices=CONTROL,
            control=Control(1, "accounts", True, "no shared logins; any shared mailbox is opened through a personal login."),
        ),
        question("L1-ACCT-01-why", Kind.TEXT, "If it does not apply: why?"),
        question(
            "DEV",
            Kind.REGISTER,
            "Devices that you do not control",
            max_rows=2,
            columns=(
                question("kind", Kind.CHOICE, "Kind", choices=(Choice("laptop", "Laptop"), Choice("phone", "Phone"))),
                question("role", Kind.TEXT, "Used by (role)"),
                question(
                    "mitigations",
                    Kind.MULTI,
                    "What is done instead",
                    choices=(Choice("screen_lock", "Screen lock"), Choice("encryption", "Encryption")),
                ),
            ),
        ),
        question("sent", Kind.TICK, "This is true as far as I know"),
    ),
)  # fmt: skip
FORM = Form(
    kind="try-out",
    edition="2026.1",
    title="Try-out notice",
    sections=(NOW, LATER),
    about="Invented for tests.",
    attestation="I am allowed to send this for my organisation.",
)
