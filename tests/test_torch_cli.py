"""``dlm-snn import FILE.py:NAME`` and ``dlm-snn compare NETWORK --module FILE.py:NAME``, as a user types them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

import dlm_snn as dlm
from dlm_snn.cli import main

NET = """
import sys
import snntorch as snn
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, n=6):
        super().__init__()
        self.fc, self.lif = nn.Linear(8, n), snn.Leaky(beta=0.75, threshold=0.25)

    def forward(self, x):
        mem, found = self.lif.init_leaky(), []
        for frame in x:
            spikes, mem = self.lif(self.fc(frame), mem)
            found.append(spikes)
        return torch.stack(found)

def spikes(seed):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((5, 3, 8), generator=generator) < 0.5).float()

def net():
    return Net(), spikes(0)

def checked():
    return Net(), spikes(0), spikes(1)

def larger():
    return {"module": Net(7), "sample": spikes(0)}

def alone():
    return Net()

def failing():
    return Net(), undefined

def leaving():
    sys.exit(0)

def leaving_with_a_word():
    exit("enough")

class Leaving(Net):
    def forward(self, x):
        return sys.exit()

def leaving_forward():
    return Leaving(), spikes(0)

def interrupted():
    raise KeyboardInterrupt

def far():
    import not_there

def refused():
    return nn.Sequential(nn.Linear(8, 6), nn.ReLU()), spikes(0)
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(NET)
    Path("notes.txt").touch()


def typed(capsys, *words, code=0):
    assert main([str(word) for word in words]) == code, capsys.readouterr().err
    shown = capsys.readouterr()
    if code == 2:
        assert shown.err.count("\n") == 1
        return shown.err
    return shown.out


def test_a_module_comes_in_with_its_proof(capsys):
    out = typed(capsys, "import", "own.py:checked", "--out", "taken")
    assert "lif: LIF (6,)" in out
    assert "equal to the module in 6 samples of 5 steps" in out
    network = dlm.load("taken")
    proof = json.loads(Path("taken.proof.json").read_text())
    assert proof["digest"] == network.digest()
    assert proof["module"] == "own.py:checked"
    assert [(layer["population"], layer["sample"]) for layer in proof["layers"]] == [
        ("lif", "sample"),
        ("lif", "check"),
    ]


def test_a_proof_is_repeated(capsys):
    typed(capsys, "import", "own.py:net")
    assert typed(capsys, "compare", "own", "--module", "own.py:net").startswith(
        f"equal: digest {dlm.load('own').digest()}"
    )
    assert "lif (check)" in typed(capsys, "compare", "own", "--module", "own.py:checked")
    Path("own.py").write_text(NET + "\n")
    assert "own.py has changed since the import" in typed(capsys, "compare", "own", "--module", "own.py:net")
    assert "the networks differ" in typed(capsys, "compare", "own", "--module", "own.py:larger", code=1)


def test_a_proof_belongs_to_its_network(capsys):
    typed(capsys, "import", "own.py:net")
    kept = Path("own.proof.json").read_text()
    typed(capsys, "import", "own.py:larger", "--replace", "--out", "own")
    Path("own.proof.json").write_text(kept)
    assert "is the proof of another network" in typed(capsys, "compare", "own", "--module", "own.py:net", code=2)


@pytest.mark.parametrize("words", [("own",), ("--module", "own.py:net")])
def test_a_proof_in_place_of_its_network_is_named(capsys, words):
    typed(capsys, "import", "own.py:net")
    told = typed(capsys, "compare", "own.proof.json", *words, code=2)
    assert "own.proof.json is the proof of an import, not a network; give own.json" in told
    Path("own.loss.json").write_text("{}")
    assert "own.loss.json is a loss budget, not a network; give own.json" in typed(
        capsys, "compare", "own.loss.json", *words, code=2
    )


@pytest.mark.parametrize("damaged", ["", "{", "[]", "{}", '{"digest": 1}'])
def test_a_damaged_proof_is_made_by_another_import(capsys, damaged):
    typed(capsys, "import", "own.py:net")
    Path("own.proof.json").write_text(damaged)
    told = typed(capsys, "compare", "own", "--module", "own.py:net", code=2)
    assert "remove it and import again: dlm-snn import FILE.py:NAME --replace" in told
    Path("own.proof.json").unlink()
    typed(capsys, "import", "own.py:net", "--replace")
    typed(capsys, "compare", "own", "--module", "own.py:net")


def test_a_network_without_a_proof_takes_the_old_one_away(capsys):
    typed(capsys, "import", "own.py:net")
    network = dlm.load("own")
    dlm.save(network, "own", replace=True)
    assert not Path("own.proof.json").exists()
    assert "has no proof of its own" in typed(capsys, "compare", "own", "--module", "own.py:net")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("import", "own.py:alone"), "own.py:alone returns a Net; return (module, sample)"),
        (
            ("import", "own.py:failing"),
            "own.py:failing fails, line 36: NameError: name 'undefined' is not",
        ),
        (("import", "own.py:refused"), "no neuron of a known library was called; use neurons of snnTorch"),
        (("import", "own.py:leaving"), "own.py:leaving fails, line 39: sys.exit(0) ends the program; take it out"),
        (("import", "own.py:leaving_with_a_word"), "line 42: sys.exit('enough') ends the program; take it out"),
        (("import", "own.py:leaving_forward"), "own.py, line 46: sys.exit() ends the program; take it out"),
        (("import", "own.py:far"), "own.py needs the package 'not_there', which is not installed"),
        (("import", "own.py:nothing"), "own.py has no class or function 'nothing'"),
        (("import", "other.py:net"), "no file other.py; give FILE.py:NAME"),
        (("import", "own.py:net", "--dt", "1"), "leave the options out"),
        (("compare", "own.json"), "own.json alone; give another one, or --module"),
        (("compare", "own.json", "own.json", "--module", "own.py:net"), "--module beside own.json"),
        (("compare", "own.json", "--module", "own"), "own: give one network and --module FILE.py:NAME"),
        (
            ("compare", "own.json", "--module", "own.py:net"),
            "no network at own.json; 'dlm-snn train', 'convert' and 'import'",
        ),
        (
            ("compare", "own", "--module", "own.py:net"),
            "nothing at own; give a network (NAME that 'dlm-snn train', 'convert' or",
        ),
        (
            ("compare", "own.py", "--module", "own.py:net"),
            "own.py is a Python file; give the network that was imported",
        ),
        (("compare", "own.py:net", "own.json"), "give the network that was imported from it, and --module own.py:net"),
        (
            ("compare", "notes.txt", "own.json"),
            "notes.txt cannot be compared; give a network (NAME that 'dlm-snn train', 'conv",
        ),
    ],
)
def test_what_is_no_module_is_one_line(capsys, words, line):
    assert line in typed(capsys, *words, code=2)
    assert not Path("own.json").exists()


def test_what_came_in_shows_no_arrays():
    made: dict = {}
    exec(NET, made)
    shown = repr(dlm.from_torch(*made["net"]()))
    assert "equal to the module in" in shown
    assert "input {" in shown
    assert "array(" not in shown


def test_what_is_the_same_in_every_step_is_given_once():
    made: dict = {}
    exec(NET, made)
    net, sample = made["net"]()
    held = sample[:1].expand(5, 3, 8)
    imported = dlm.from_torch(net, held)
    assert imported.input["input"].shape == imported.encode(held)["input"].shape == (3, 8)
    assert imported.encode(sample)["input"].shape == dlm.from_torch(net, sample).input["input"].shape == (3, 5, 8)


def test_a_python_file_without_a_name_is_told_of_it(capsys):
    assert "own.py is a Python file; give own.py:NAME" in typed(capsys, "import", "own.py", code=2)


def test_an_interrupt_stays_one(capsys):
    assert main(["import", "own.py:interrupted"]) == 130
    assert capsys.readouterr().err == "dlm-snn: interrupted\n"


def test_a_module_that_stands_in_the_file_is_the_same_each_time(capsys):
    Path("top.py").write_text(NET + "module = Net()\ndef make():\n    return module, spikes(0)\n")
    typed(capsys, "import", "top.py:make")
    torch.rand(3)
    assert typed(capsys, "compare", "top", "--module", "top.py:make").startswith("equal")


def test_a_file_imports_what_lies_beside_it(capsys, tmp_path, monkeypatch):
    """At its top, inside the function, and while the module runs; and nobody else finds it."""
    folder = tmp_path / "nets"
    (folder / "parts").mkdir(parents=True)
    (folder / "mess_helper.py").write_text(NET)
    (folder / "parts" / "width.py").write_text("WIDTH = 7")
    (folder / "mess_lazy.py").write_text("NAME = 1")
    text = (
        "from mess_helper import Net, spikes\nfrom parts.width import WIDTH\n"
        "class Own(Net):\n  def forward(self, x):\n    import mess_lazy\n    return super().forward(x)\n"
        "def make():\n  from mess_helper import spikes\n  return Own(WIDTH), spikes(0)\n"
    )
    (folder / "net.py").write_text(text)
    before, path = set(sys.modules), list(sys.path)
    assert "lif: LIF (7,)" in typed(capsys, "import", "nets/net.py:make")
    assert sys.path == path
    assert not {"mess_helper", "mess_lazy", "parts", "parts.width"} & (set(sys.modules) - before)
    assert typed(capsys, "compare", "net", "--module", "nets/net.py:make").startswith("equal")
    # Another folder has another module of that name.
    (tmp_path / "net.py").write_text(text.replace("WIDTH)", "WIDTH, mess_helper.spikes)"))
    assert "net.py needs the package 'mess_helper', which is not installed" in typed(
        capsys, "import", "net.py:make", "--out", "n", code=2
    )
    (folder / "parts" / "width.py").write_text("WIDTH = 12")
    assert "the networks differ" in typed(capsys, "compare", "net", "--module", "nets/net.py:make", code=1)
    (folder / "mess_helper.py").write_text("def broken(")
    assert "SyntaxError" in typed(capsys, "import", "nets/net.py:make", "--out", "n", code=2)
