from crm.testing.pages import PageTests
from tests.machines.pages import MachinePages


class TestMachinePages(PageTests):
    pages = MachinePages
    changed_value = ("name", "Renamed")
