"""Whose code runs: neither our children nor the command line run what lies in the user's folder by chance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlm_snn import DlmError
from dlm_snn.processes import child, our_packages

ROOT = Path(__file__).parents[1]
FOREIGN = ["json", "numpy", "random", "signal", "socket", "pickle", "runpy", "lava", "dlm_snn", "experiments"]
FOREIGN += ["lava_processes", "hardware"]


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """A folder of files, each of which tells when it is run."""
    folder = tmp_path / "here"
    folder.mkdir()
    for name in FOREIGN:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'a').write('{name} ')\n")
    return folder


def python(code: str, traps: Path, **variables: str) -> str:
    """What a script of another folder prints that is run in the folder of traps; none of them may have been run."""
    script = traps.parent / "script.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    words = [sys.executable, str(script)]
    done = subprocess.run(words, cwd=traps, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert not (traps.parent / "run").exists(), (traps.parent / "run").read_text()
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("named", ["", ".", "HERE", f"{ROOT}{os.pathsep}.", f"{ROOT}{os.pathsep}"])
def test_a_child_looks_into_no_folder_of_the_users(traps, named):
    """However the current folder came onto the path; and it finds our own packages."""
    code = "import os, subprocess, sys\nfrom dlm_snn.processes import child\n"
    code += f"sys.path[:0] = ['', {str(traps.parent)!r}, {str(traps)!r}, '.', '../here']\n"
    code += f"os.environ['PYTHONPATH'] = {named.replace('HERE', str(traps))!r}\n"
    code += "words = child.command('experiments.harness.processes:limit_threads')\n"
    code += "subprocess.run(words, env=child.environment(), check=True)\n"
    python(code, traps)


@pytest.mark.skipif(not our_packages.HOME.samefile(ROOT), reason="not a checkout")
def test_a_checkout_as_the_current_folder_is_found_but_last():
    path = child._path()
    assert path.count(str(ROOT)) == 1
    words = child.command("experiments.harness.processes:limit_threads")
    assert subprocess.run(words, cwd=ROOT, env=child.environment(), check=False).returncode == 0


def test_workers(traps):
    code = "from experiments.harness.pools import opened\nif __name__ == '__main__':\n    with opened(2) as pool:\n"
    code += "        with pool.executor() as executor:\n            print(executor.submit(sum, [1, 2]).result())\n"
    assert python(code, traps) == "3\n"


def test_workers_of_a_cluster(traps):
    pytest.importorskip("distributed")
    code = "from experiments.harness.pools import opened\nif __name__ == '__main__':\n"
    code += "    with opened(1, 'local') as pool:\n"
    code += "        with pool.executor() as executor:\n            print(executor.submit(sum, [1, 2]).result())\n"
    assert python(code, traps) == "3\n"


NETWORK = "dlm.Network({'x': dlm.Input((1,)), 'h': dlm.LIF((3,), dv=0.1)}, [dlm.Projection('x', 'h', dlm.Dense(w))])"


def test_lava_in_its_child(traps):
    pytest.importorskip("lava")
    code = f"import dlm_snn as dlm, numpy as np; w = np.full((3, 1), 2.0); network = {NETWORK}\n"
    code += "print(len(dlm.run(network, {'x': np.ones((1, 4, 1), int)}, 4, backend='lava-fused').rasters['h']))\n"
    assert python(code, traps) == "12\n"


OWN_GRAPH = """
import multiprocessing
if __name__ == "__main__":
    multiprocessing.set_start_method(METHOD)
    import lava_processes
    from lava.proc.lif.process import LIF
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    neuron = LIF(shape=(1,), bias_mant=0.25, dv=0.0, vth=10)
    neuron.run(condition=RunSteps(num_steps=3), run_cfg=Loihi2SimCfg(select_tag="floating_pt"))
    print(neuron.v.get()[0], multiprocessing.get_start_method())
    neuron.stop()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_users_own_graph_runs_however_processes_are_started(tmp_path, method):
    """``import lava_processes`` alone mends Lava; the way that the user chose stays."""
    pytest.importorskip("lava")
    script = tmp_path / "script.py"
    script.write_text(OWN_GRAPH.replace("METHOD", repr(method)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, str(script)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["0.75", method], done.stderr


def test_the_command_line_finds_our_own(tmp_path):
    for name in ("experiments", "lava_processes", "hardware"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ZeroDivisionError('a foreign package was run')\n")
    code = "from dlm_snn.cli import main\nprint(main(['--help']))\nimport experiments; print(experiments.__file__)\n"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "unavailable" not in done.stdout
    assert done.stdout.endswith(f"0\n{our_packages.HOME / 'experiments' / '__init__.py'}\n")


def test_another_package_of_our_name_that_is_imported_already_is_named(monkeypatch, tmp_path):
    foreign = type(sys)("experiments")
    foreign.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "experiments", foreign)
    with pytest.raises(DlmError, match=f"the package 'experiments' that is imported is {tmp_path}, not dlm-snn's own"):
        our_packages.find_first()
