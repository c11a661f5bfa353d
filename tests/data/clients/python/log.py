"""Checks a proof or an export of the audit log with nothing but the public key.

    python log.py <verifier key> proof|export FILE...

Says `ok FILE records read` or `bad FILE why` for each. Written from the specifications alone, so that it shares no mistake
with Cedargate: RFC 6962 section 2.1 (tree) and RFC 9162 section 2.1.3.2 (inclusion), and of C2SP `signed-note`,
`tlog-checkpoint` and `tlog-proof`. The lines of an export are those that `src/audit/verify/export.rs` describes.
One key: a log whose key was changed is checked from one change to the next.
"""

import base64
import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 1


class Bad(Exception):
    pass


def need(holds, why):
    if not holds:
        raise Bad(why)


def decode(text):
    """Base64 in the one spelling that it has."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Bad("base64") from error
    need(base64.b64encode(data).decode() == text, "base64 in another spelling")
    return data


def decimal(text):
    need(re.fullmatch(r"0|[1-9][0-9]*", text, re.ASCII), "a number in another spelling")
    return int(text)


def leaf(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Key:
    """signed-note: `<name>+<hash>+<type and key>`."""

    def __init__(self, text):
        self.name, key_id, encoded = text.split("+", 2)
        typed = decode(encoded)
        digest = hashlib.sha256(self.name.encode() + b"\n" + typed).digest()
        need(digest[:4].hex() == key_id, "the key does not fit its id")
        need(typed[0] == ED25519 and len(typed) == 33, "not an Ed25519 key")
        self.id, self.key = digest[:4], Ed25519PublicKey.from_public_bytes(typed[1:])

    def open(self, note):
        """tlog-checkpoint: the size and the root that this key vouches for."""
        text, separator, signatures = note.partition("\n\n")
        need(separator and signatures.endswith("\n"), "not a note")
        text += "\n"
        mine = []
        for line in signatures[:-1].split("\n"):
            need(line.startswith("\u2014 ") and line.count(" ") == 2, "not a signature line")
            _, name, encoded = line.split(" ")
            signature = decode(encoded)
            if name == self.name and signature[:4] == self.id:
                mine.append(signature[4:])
        need(len(mine) == 1, "not signed by the key, or more than once")
        try:
            self.key.verify(mine[0], text.encode())
        except InvalidSignature as error:
            raise Bad("the signature does not hold") from error
        lines = text[:-1].split("\n")
        need(len(lines) == 3 and lines[0] == self.name, "a checkpoint of another log")
        root = decode(lines[2])
        need(len(root) == 32, "not a root")
        return decimal(lines[1]), root


class Tree:
    """Roots of perfect subtrees, largest first; RFC 6962 splits at the largest power of two."""

    def __init__(self):
        self.peaks, self.size = [], 0

    def push(self, level, digest):
        need(self.size % (1 << level) == 0, "a subtree where none of its size can be")
        self.size += 1 << level
        while self.peaks and self.peaks[-1][0] == level:
            digest = node(self.peaks.pop()[1], digest)
            level += 1
        self.peaks.append((level, digest))

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        digest = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            digest = node(left, digest)
        return digest


def included(index, size, digest, path):
    """RFC 9162, section 2.1.3.2: the root that the path leads to."""
    need(index < size, "behind the end of the log")
    first, last = index, size - 1
    for other in path:
        need(last != 0, "the path is too long")
        if first & 1 or first == last:
            digest = node(other, digest)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            digest = node(digest, other)
        first, last = first >> 1, last >> 1
    need(last == 0, "the path is too short")
    return digest


def proof(key, data):
    """tlog-proof: the record travels as `extra`."""
    head, separator, note = data.decode().partition("\n\n")
    need(separator, "no checkpoint")
    first, extra, index, *path = head.split("\n")
    need(first == "c2sp.org/tlog-proof@v1", "not a proof")
    need(extra.startswith("extra ") and index.startswith("index "), "no record or no index")
    record, index = decode(extra[len("extra ") :]), decimal(index[len("index ") :])
    path = [decode(line) for line in path]
    need(all(len(digest) == 32 for digest in path), "not a path")
    size, root = key.open(note)
    need(included(index, size, leaf(record), path) == root, "not in the log")
    need(placed(key, record) == index, "another record")
    return 1


def placed(key, record):
    """The number that a record says it has in the log of this key."""
    body = json.loads(record)
    origin, _, number = body["id"].partition("-")
    need(key.name.endswith("/" + origin), "a record of another log")
    return decimal(number)


def export(key, data):
    need(data.endswith(b"\n"), "cut off")
    header, *lines = data[:-1].split(b"\n")
    header = json.loads(header)
    need(header.pop("cedargate_export") == 1, "of another version")
    need(key.name.endswith("/" + header.pop("origin")), "of another log")
    need(Key(header.pop("key")).id == key.id and not header, "of another key")
    tree, vouched, read = Tree(), 0, 0
    for line in lines:
        if line.startswith(b'{"v":'):
            need(placed(key, line) == tree.size, "a record out of its place")
            tree.push(0, leaf(line))
            read += 1
            continue
        (name, value), *more = json.loads(line).items()
        if name == "omitted" and not more:
            digest = decode(value.pop("hash"))
            need(len(digest) == 32, "not a hash")
            tree.push(value.pop("level"), digest)
        elif name == "checkpoint" and not more:
            need(key.open(value) == (tree.size, tree.root()), "another checkpoint")
            vouched = tree.size
        elif name == "principal" and [key for key, _ in more] == ["content"]:
            content = more[0][1].encode()
            need(hashlib.sha256(content).hexdigest() == value, "another principal")
        else:
            raise Bad("an unknown line")
    need(vouched == tree.size, "nothing vouches for the end")
    return read


def main(key, kind, *files):
    key, check = Key(key), {"proof": proof, "export": export}[kind]
    for file in files:
        with open(file, "rb") as opened:
            data = opened.read()
        try:
            print("ok", file, check(key, data))
        except (Bad, ValueError, KeyError, TypeError, AttributeError) as error:
            print("bad", file, error)


main(*sys.argv[1:])
