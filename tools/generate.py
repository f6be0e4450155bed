"""Generates everything under gen/ from proto/: `python tools/generate.py [OUT]`, OUT defaults to gen.

One command instead of buf.gen.yaml, because the gRPC plugin for Python ships inside grpcio-tools and not as an
executable that buf could start. The order of files is fixed, so that the same tools give the same bytes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def generate(out: Path) -> None:
    """Write Python stubs with types, Envoy's descriptor set and the OpenAPI document to the new folder `out`."""
    # Imported here: this tool has to say something useful before the development tools are installed.
    import grpc_tools  # noqa: PLC0415
    from grpc_tools import protoc  # noqa: PLC0415

    out.mkdir(parents=True)
    sources = sorted(str(p.relative_to(ROOT / "proto")) for p in (ROOT / "proto").rglob("*.proto"))
    sources.append("buf/validate/validate.proto")
    arguments = [
        "protoc",
        f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
        f"-I{ROOT / 'proto'}",
        f"-I{ROOT / 'third_party'}",
        f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
        f"--python_out={out}",
        f"--mypy_out=quiet:{out}",
    ]
    if protoc.main([*arguments, *sources]) != 0:
        raise SystemExit("protoc failed")
    services = [source for source in sources if source.endswith("_service.proto")]
    if protoc.main([*arguments, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services]) != 0:
        raise SystemExit("protoc failed")
    # Envoy expands error details to JSON only with google/rpc in the set: a build of the whole workspace has them.
    descriptor_set = out / "factoryai.binpb"
    subprocess.run([BIN / "buf", "build", "--as-file-descriptor-set", "-o", descriptor_set], cwd=ROOT, check=True)  # noqa: S603
    # A process of its own: it imports the stubs of google.api and buf.validate, which may just have changed.
    openapi = [sys.executable, "-m", "tools.openapi", str(descriptor_set), str(out / "openapi" / "factoryai.yaml")]
    subprocess.run(openapi, cwd=ROOT, check=True)  # noqa: S603


def publish(draft: Path, out: Path) -> None:
    """Make `out` equal to `draft` and touch only files that differ, so that whoever reads it never finds a gap."""
    wanted = {path.relative_to(draft) for path in draft.rglob("*") if path.is_file()}
    for name in sorted(wanted):
        target = out / name
        content = (draft / name).read_bytes()
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    for path in generated_files(out) - wanted:
        (out / path).unlink()


def generated_files(folder: Path) -> set[Path]:
    """Files under `folder`, relative to it, without what Python leaves behind."""
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if "__pycache__" not in path.parts}


def main(out: Path) -> None:
    """Generate to a draft first: a failure half way leaves `out` as it was."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "gen"
        generate(draft)
        publish(draft, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "gen")
