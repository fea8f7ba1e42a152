"""The Python package, built as its users build it: a wheel by meson-python, installed
into a virtual environment of its own. Once for a session; the compiler's objects stay in
build-python, so that a second time takes seconds."""
import os
import subprocess
import sys
import sysconfig
from pathlib import Path


class Package:
    def __init__(self, root, folder):
        self.root, self.folder = Path(root), Path(folder)
        self.env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *words):
        done = subprocess.run([*map(str, words)], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    def build(self):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
        self.run(*pip, "wheel", ".", "--no-deps", "--no-build-isolation", "-w", self.folder, "--config-settings=build-dir=build-python")
        self.wheel, = self.folder.glob("*.whl")
        self.run(sys.executable, "-m", "venv", "--without-pip", self.folder / "venv")
        self.python = self.folder / "venv" / "bin" / "python"
        self.run(*pip, "--python", self.python, "install", "--no-deps", "--no-index", self.wheel)
        self.site, = (self.folder / "venv" / "lib").glob("python*/site-packages")
        # pyarrow and the others are those of the tests.
        (self.site / "partners.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        return self
