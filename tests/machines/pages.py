from crm.generic.declaring import filters_for, form_for, importer_for, table_for
from crm.generic.pages import Nav, Pages, register
from tests.machines.models import Machine


@register
class MachinePages(Pages):
    model = Machine
    path = "machines"
    table = table_for(Machine, "name", "serial", "state", "installed_on", "owner")
    filters = filters_for(Machine, "state", "owner", "installed_on")
    form = form_for(Machine, "name", "serial", "state", "installed_on", "owner")
    importer = importer_for(Machine, form, match_on=[("serial",)])
    nav = Nav("customers", order=40, icon="package")
    search_fields = ("name", "serial")
    state_field = "state"
