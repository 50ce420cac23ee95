"""python -m tests.drivers.fault_cases: write the fault matrix into drivers/README.md."""

from tests.drivers.fault_cases.playing import all_cases
from tests.drivers.fault_cases.table import README, replaced, written

cases = all_cases()
README.write_text(replaced(README.read_text(encoding="utf-8"), written(cases)), encoding="utf-8")
print(f"{len(cases)} cells written")
