"""JSON schemas of growing difficulty, each with values that meet it: made of the number of the schema alone."""
import random
import string

COUNT = 200
PER_LEVEL = 20

# Patterns, and texts that match them.
PATTERNS = [
    ("^[A-Z]{3}-[0-9]{2,4}$", lambda r: "".join(r.choices(string.ascii_uppercase, k=3)) + f"-{r.randrange(10, 10000)}"),
    ("^(red|green|blue)( light)?$", lambda r: r.choice(["red", "green light", "blue"])),
    ("[0-9]", lambda r: f"room {r.randrange(100)}"),
    ("^\\+?[1-9]\\d{1,14}$", lambda r: "+" * r.randrange(2) + str(r.randrange(10, 10 ** 12))),
    ("^[^\\s@]+@[^\\s@]+\\.[a-z]{2,}$", lambda r: f"user{r.randrange(99)}@example.org"),
    ("^.{2,5}$", lambda r: r.choice(["ab", "\u00e9\u4e2d\U0001f600", '"\\"', "a b"])),
    ("^$|^x+$", lambda r: "x" * r.randrange(4)),
    ("^a|z$", lambda r: r.choice(["abc", "xyz", "az"])),
    ("^(?:(?:25[0-5]|1?[0-9]{1,2})\\.){3}[0-9]$", lambda r: f"{r.randrange(200)}.255.10.{r.randrange(10)}"),
    ("^\\/[\\w\\-\\/]*\\.json$", lambda r: f"/data/file-{r.randrange(9)}.json"),
]
FORMATS = {
    "date": lambda r: f"{r.randrange(1000, 9999)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}",
    "date-time": lambda r: f"2024-02-29T{r.randrange(24):02}:59:59.{r.randrange(100)}Z",
    "uuid": lambda r: "-".join("".join(r.choices("0123456789abcdef", k=n)) for n in (8, 4, 4, 4, 12)),
    "ipv4": lambda r: ".".join(str(r.randrange(256)) for _ in range(4)),
    "ipv6": lambda r: r.choice(["::1", "2001:db8::1", "1:2:3:4:5:6:7:8", "fe80::aaaa:1"]),
    "email": lambda r: f"first.last{r.randrange(9)}@mail.example.com",
}
WORDS = ["", "a", "word", "two words", "caf\u00e9", "\u4e2d\u6587", "\U0001f600", 'quote " and \\', "line\nbreak", "tab\t", "/"]
NAMES = ["id", "name", "kind_of", "value", "caf\u00e9", "a b", "x-1", 'quo"te', "items", "unit", "note", "tags"]


class Maker:
    """Makes a schema of a level, and for each part of it a function that makes values."""

    def __init__(self, number):
        self.random = random.Random(number)
        self.level = number // PER_LEVEL
        self.defs = {}

    def schema(self):
        depth = 1 + self.level // 3
        by_level = [self.plain, self.constants, self.bounded, self.patterned, self.listed, self.fields, self.fields,
                    self.joined, self.referring, self.anything]
        schema, make = by_level[self.level](depth)
        if self.defs:
            schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": self.defs, **schema}
        return schema, make

    def below(self, depth):
        """A part of something."""
        kinds = [self.plain, self.constants, self.bounded, self.patterned, self.listed, self.fields]
        kinds = kinds[:max(1, self.level)]
        if depth > 0 and self.level >= 7:
            kinds += [self.joined, self.listed, self.fields]
        if depth <= 0:
            kinds = [kind for kind in kinds if kind not in (self.listed, self.fields)]
        return self.random.choice(kinds)(depth)

    def plain(self, _):
        return self.random.choice([
            ({"type": "null"}, lambda r: None),
            ({"type": "boolean"}, lambda r: r.random() < 0.5),
            ({"type": "integer"}, lambda r: r.randrange(-10 ** 9, 10 ** 9)),
            ({"type": "number"}, lambda r: r.choice([0, -1, 2.5, 1e-3, 12345.678, 10 ** 14])),
            ({"type": "string"}, lambda r: r.choice(WORDS)),
            ({"type": ["string", "null"]}, lambda r: r.choice([None, "x"])),
            ({"type": ["integer", "boolean"], "description": "either"}, lambda r: r.choice([True, 5])),
        ])

    def constants(self, _):
        values = self.random.sample([None, True, False, 0, -17, 3.25, "", "yes", "caf\u00e9", "a\"b", [1, 2], {"k": ["v"]}, 10 ** 12,
                                     "yesterday", "yes and no"], self.random.randrange(1, 7))
        if len(values) == 1:
            return {"const": values[0]}, lambda r: values[0]
        return {"enum": values}, lambda r: r.choice(values)

    def bounded(self, _):
        r = self.random
        kind = r.randrange(5)
        if kind == 0:
            low = r.randrange(-1500, 1500)
            high = low + r.choice([0, 1, 9, 100, 12345])
            return {"type": "integer", "minimum": low, "maximum": high}, lambda r: r.randint(low, high)
        if kind == 1:
            low = r.choice([0, 1, -7, 99])
            return {"type": "integer", "exclusiveMinimum": low}, lambda r: low + r.randrange(1, 10 ** 6)
        if kind == 2:
            low, high = sorted([round(r.uniform(-50, 50), 2), round(r.uniform(-50, 50), 3)])
            return ({"type": "number", "minimum": low, "maximum": high},
                    lambda r: r.choice([low, high, max(low, min(high, round((low + high) / 2, 6)))]))
        if kind == 3:
            high = r.choice([1, 0.5, 100])
            return ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": high},
                    lambda r: round(r.uniform(0.01, 0.99) * high, 4))
        low = r.randrange(0, 4)
        high = low + r.randrange(0, 12)
        return ({"type": "string", "minLength": low, "maxLength": high},
                lambda r: "".join(r.choices("ab\u00e9\u4e2d\U0001f600\" ", k=r.randint(low, high))))

    def patterned(self, _):
        r = self.random
        kind = r.randrange(3)
        if kind == 0:
            name = r.choice(sorted(FORMATS))
            return {"type": "string", "format": name}, FORMATS[name]
        pattern, make = r.choice(PATTERNS)
        if kind == 1:
            return {"type": "string", "pattern": pattern}, make
        # With a length that all of the texts have.
        return {"type": "string", "pattern": pattern, "minLength": 0, "maxLength": 25}, make

    def listed(self, depth):
        r = self.random
        if r.random() < 0.25:
            parts = [self.below(depth - 1) for _ in range(r.randrange(1, 4))]
            rest = r.random() < 0.5
            schema = {"type": "array", "prefixItems": [part for part, _ in parts], "minItems": len(parts)}
            schema["items"] = {"type": "null"} if rest else False
            return schema, lambda r: [make(r) for _, make in parts] + [None] * (r.randrange(3) if rest else 0)
        items, make = self.below(depth - 1)
        low = r.randrange(3)
        high = low + r.randrange(4)
        schema = {"type": "array", "items": items}
        if r.random() < 0.7:
            schema["minItems"] = low
        if r.random() < 0.7:
            schema["maxItems"] = high
        return schema, lambda r: [make(r) for _ in range(r.randint(low, high))]

    def fields(self, depth):
        r = self.random
        names = r.sample(NAMES, r.randrange(1, 6))
        parts = {name: self.below(depth - 1) for name in names}
        required = [name for name in names if r.random() < 0.6]
        schema = {"type": "object", "properties": {name: part for name, (part, _) in parts.items()}}
        if required or r.random() < 0.5:
            schema["required"] = required
        other = None
        kind = r.random()
        if kind < 0.5:
            schema["additionalProperties"] = False
        elif kind < 0.7 and self.level >= 6:
            others, other = self.plain(0)
            schema["additionalProperties"] = others
        elif kind < 0.85 and self.level >= 9:
            others, other = self.bounded(0)
            schema["patternProperties"] = {"^other": others}
            schema["additionalProperties"] = False

        def make(r):
            value = {name: part(r) for name, (_, part) in parts.items() if name in required or r.random() < 0.5}
            if other is not None and r.random() < 0.5:
                value["other"] = other(r)
            return value
        return schema, make

    def joined(self, depth):
        r = self.random
        kind = r.randrange(4)
        if kind == 0:
            parts = [self.below(depth - 1) for _ in range(r.randrange(2, 5))]
            return {"anyOf": [part for part, _ in parts]}, lambda r: r.choice(parts)[1](r)
        if kind == 1:
            tagged = []
            for tag in r.sample(["circle", "square", "line", "text"], r.randrange(2, 5)):
                part, make = self.below(depth - 1)
                tagged.append(({"type": "object", "properties": {"type": {"const": tag}, "data": part},
                                "required": ["type", "data"], "additionalProperties": False}, tag, make))

            def make_tagged(r):
                _, tag, make = r.choice(tagged)
                return {"type": tag, "data": make(r)}
            return {"oneOf": [part for part, _, _ in tagged]}, make_tagged
        if kind == 2:
            one, make_one = self.bounded(0)
            other, make_other = self.below(depth - 1)
            schema = {"allOf": [
                {"type": "object", "properties": {"first": one}, "required": ["first"]},
                {"type": "object", "properties": {"second": other, "first": {"description": "as above"}}}]}
            return schema, lambda r: {"first": make_one(r), "second": make_other(r)}
        return ({"type": "integer", "oneOf": [{"maximum": -5}, {"minimum": 5}]},
                lambda r: r.choice([-1, 1]) * r.randrange(5, 1000))

    def referring(self, depth):
        r = self.random
        part, make = self.joined(depth - 1) if r.random() < 0.5 else self.fields(depth - 1)
        self.defs["part"] = part
        kind = r.randrange(3)
        if kind == 0:
            self.defs["list"] = {"anyOf": [{"type": "null"}, {
                "type": "object", "properties": {"head": {"$ref": "#/$defs/part"}, "tail": {"$ref": "#/$defs/list"}},
                "required": ["head", "tail"], "additionalProperties": False}]}

            def chain(r, length=3):
                return None if length == 0 or r.random() < 0.3 else {"head": make(r), "tail": chain(r, length - 1)}
            return {"$ref": "#/$defs/list"}, chain
        if kind == 1:
            self.defs["tree"] = {
                "type": "object", "properties": {"label": {"type": "string", "maxLength": 8}, "part": {"$ref": "#/$defs/part"},
                                                 "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
                "required": ["label", "children"]}

            def tree(r, depth=2):
                children = [tree(r, depth - 1) for _ in range(r.randrange(3))] if depth else []
                node = {"label": r.choice(["x", "\u4e2d", "leaf"])}
                if r.random() < 0.5:
                    node["part"] = make(r)
                return {**node, "children": children}
            return {"$ref": "#/$defs/tree"}, tree
        return {"type": "array", "items": {"$ref": "#/$defs/part"}, "maxItems": 3}, lambda r: [make(r)]

    def anything(self, depth):
        choice = self.random.randrange(3)
        if choice == 0:
            return self.referring(depth)
        if choice == 1:
            return self.joined(depth)
        return self.fields(depth)


def schemas():
    """(schema, values that meet it) for each number."""
    for number in range(COUNT):
        schema, make = Maker(number).schema()
        source = random.Random(number + 1)
        yield schema, [make(source) for _ in range(8)]
