/* SPDX-License-Identifier: Apache-2.0
 * dari export terraform-import: Terraform's import blocks for what stands, here and in other clouds. `terraform plan
 * -generate-config-out=FILE` then writes the configuration. Source: Terraform's language, "import blocks"; the providers'
 * documentation, "Import" of each resource. */
#include <inttypes.h>

#include "daemon/client/ask.h"
#include "daemon/command.h"

enum { NAME_MAX_SHOWN = 60, TEXT_CAP = 64 * 1024 };

/* The provider's resource for a type of /remote-resources; machines have the type "machine". azure: the path behind the
 * resource group. */
static const struct {
	const char *cloud, *type, *resource, *azure;
} forms[] = {
	{"aws", "machine", "aws_instance", NULL},
	{"aws", "network", "aws_vpc", NULL},
	{"aws", "subnet", "aws_subnet", NULL},
	{"aws", "security_group", "aws_security_group", NULL},
	{"aws", "volume", "aws_ebs_volume", NULL},
	{"aws", "key_pair", "aws_key_pair", NULL},
	{"openstack", "machine", "openstack_compute_instance_v2", NULL},
	{"openstack", "network", "openstack_networking_network_v2", NULL},
	{"openstack", "subnet", "openstack_networking_subnet_v2", NULL},
	{"openstack", "security_group", "openstack_networking_secgroup_v2", NULL},
	{"openstack", "volume", "openstack_blockstorage_volume_v3", NULL},
	{"openstack", "key_pair", "openstack_compute_keypair_v2", NULL},
	{"openstack", "address", "openstack_networking_floatingip_v2", NULL},
	{"cloudstack", "machine", "cloudstack_instance", NULL},
	{"cloudstack", "network", "cloudstack_network", NULL},
	{"cloudstack", "volume", "cloudstack_disk", NULL},
	{"azure", "machine", "azurerm_linux_virtual_machine", "Microsoft.Compute/virtualMachines"},
	{"azure", "network", "azurerm_virtual_network", "Microsoft.Network/virtualNetworks"},
	{"azure", "security_group", "azurerm_network_security_group",
	 "Microsoft.Network/networkSecurityGroups"},
	{"azure", "volume", "azurerm_managed_disk", "Microsoft.Compute/disks"},
	{"azure", "address", "azurerm_public_ip", "Microsoft.Network/publicIPAddresses"},
};

/* A resource to import. */
struct item {
	const json_t *provider; /* NULL: this region */
	struct str type, ref, name;
};

struct export
{
	struct asking *a;
	json_t *names; /* addresses that are in use; the value is the last number that was tried behind that address */
};

/* ---- texts ---- */

/* A text in quotes. "${" and "%{" would begin a template. */
static struct str quoted(struct asking *a, struct str text)
{
	struct buf out;
	buf_init(&out, TEXT_CAP);
	for (size_t k = 0; k < text.n; k++) {
		char c = text.p[k];
		bool is_template = (c == '$' || c == '%') && k + 1 < text.n && text.p[k + 1] == '{';
		if (c == '"' || c == '\\')
			buf_print(&out, "\\%c", c);
		else if ((unsigned char) c < ' ')
			buf_print(&out, "\\u%04x", (unsigned) c);
		else
			buf_print(&out, is_template ? "%c%c" : "%c", c, c);
	}
	struct str copy = str_print(a->c->arena, "\"%" STR_FMT "\"", STR_ARG(buf_str(&out)));
	buf_done(&out);
	return copy;
}

/* A name of Terraform's: letters, digits and "_", beginning with a letter. */
static struct str word_of(struct asking *a, struct str text)
{
	char word[NAME_MAX_SHOWN + 1];
	size_t n = 0;
	for (; n < text.n && n < NAME_MAX_SHOWN; n++) {
		char c = text.p[n];
		bool is_upper = c >= 'A' && c <= 'Z';
		bool is_fit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		word[n] = (char) (is_upper ? c - 'A' + 'a' : is_fit ? c : '_');
	}
	word[n] = 0;
	bool needs_letter = !n || word[0] == '_' || (word[0] >= '0' && word[0] <= '9');
	return str_print(a->c->arena, "%s%s", needs_letter ? "r_" : "", word);
}

/* The address of the resource: its name, with a number if another one has it. */
static struct str address_of(struct export *x, const char *resource, const struct item *i)
{
	struct str provider = i->provider ? asking_text(i->provider, "name") : STR_NONE,
		   name = word_of(x->a,
				  str_print(x->a->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(provider),
					    provider.n ? "_" : "", STR_ARG((i->name.n ? i->name : i->ref))));
	struct str plain = str_print(x->a->c->arena, "%s.%" STR_FMT, resource, STR_ARG(name)),
		   address = plain;
	json_int_t n = plain.p ? json_integer_value(json_object_get(x->names, plain.p)) : 0;
	while (address.p && json_object_get(x->names, address.p))
		address = str_print(x->a->c->arena, "%" STR_FMT "_%lld", STR_ARG(plain), (long long) ++n + 1);
	if (!address.p)
		return address;
	(void) json_object_set_new(x->names, plain.p, json_integer(n));
	(void) json_object_set_new(x->names, address.p, json_integer(str_equal(plain, address) ? n : 0));
	return address;
}

/* Azure's ids are whole paths; ours are GROUP:NAME. */
static struct str id_of(struct export *x, const char *azure, const struct item *i)
{
	struct str rest = i->ref, group = STR_NONE;
	if (!azure || !str_split_next(&rest, ':', &group))
		return i->ref;
	struct str subscription = asking_text(i->provider, "project");
	return str_print(x->a->c->arena,
			 "/subscriptions/%" STR_FMT "/resourceGroups/%" STR_FMT "/providers/%s/%" STR_FMT,
			 STR_ARG(subscription), STR_ARG(group), azure, STR_ARG(rest));
}

/* ---- blocks ---- */

static void write_item(struct export *x, const struct item *i)
{
	struct str cloud = i->provider ? asking_text(i->provider, "cloud") : STR("aws");
	size_t k = 0, count = sizeof forms / sizeof *forms;
	while (k < count && (!str_is(cloud, forms[k].cloud) || !str_is(i->type, forms[k].type)))
		k++;
	if (k == count)
		return;
	struct str address = address_of(x, forms[k].resource, i), id = id_of(x, forms[k].azure, i),
		   text = quoted(x->a, id), alias = STR_NONE;
	buf_print(&x->a->text, "import {\n  to = %" STR_FMT "\n  id = %" STR_FMT "\n", STR_ARG(address),
		  STR_ARG(text));
	if (i->provider) {
		struct str local = forms[k].azure ? STR("azurerm") : cloud;
		alias = str_print(x->a->c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(local),
				  STR_ARG(word_of(x->a, asking_text(i->provider, "name"))));
		buf_print(&x->a->text, "  provider = %" STR_FMT "\n", STR_ARG(alias));
	}
	buf_add_str(&x->a->text, STR("}\n\n"));
	(void) json_array_append_new(
		x->a->value, json_pack("{s:s#,s:s#,s:s#}", "to", address.p, (int) address.n, "id", id.p,
				       (int) id.n, "provider", alias.n ? alias.p : "", (int) alias.n));
}

/* ---- sources ---- */

static RESULT export_here(struct export *x)
{
	static const struct {
		const char *path, *type;
		bool is_named; /* imported by name */
	} kinds[] = {{"/instances", "machine", false}, {"/routers", "network", false},
		     {"/subnets", "subnet", false},    {"/security-groups", "security_group", false},
		     {"/volumes", "volume", false},    {"/key-pairs", "key_pair", true}};
	for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++) {
		const json_t *rows = NULL;
		json_t *row = NULL;
		size_t k = 0;
		TRY(asking_list(x->a, kinds[n].path, "*", &rows));
		json_array_foreach (rows, k, row) {
			const json_t *tags = json_object_get(row, "tags");
			struct str name = asking_text(row, "name"), state = asking_text(row, "state");
			const struct item i = {.type = str_from(kinds[n].type),
					       .ref = kinds[n].is_named ? name : asking_text(row, "ec2"),
					       .name = name.n ? name : asking_text(tags, "Name")};
			bool is_gone = str_is(state, "terminated") || str_is(state, "shutting-down");
			if (i.ref.n && !is_gone)
				write_item(x, &i);
		}
	}
	return OK;
}

static void export_rows(struct export *x, const json_t *rows, const json_t *provider, bool are_machines)
{
	json_t *row = NULL;
	size_t k = 0;
	struct str id = asking_text(provider, "id");
	json_array_foreach (rows, k, row) {
		struct str power = asking_text(row, "power");
		bool is_gone = str_is(power, "terminated") || str_is(power, "terminating");
		const struct item i = {.provider = provider,
				       .type = are_machines ? STR("machine") : asking_text(row, "type"),
				       .ref = asking_text(row, "ref"),
				       .name = asking_text(row, "name")};
		bool is_new =
			str_starts_with(i.ref, STR("new-")) && str_is(asking_text(row, "act"), "create");
		if (str_equal(asking_text(row, "provider"), id) && !is_gone && !is_new)
			write_item(x, &i);
	}
}

static RESULT export_elsewhere(struct export *x, struct str wanted)
{
	const json_t *providers = NULL, *machines = NULL, *resources = NULL;
	json_t *p = NULL;
	size_t k = 0, found = 0;
	TRY(asking_list(x->a, "/providers", "*", &providers));
	TRY(asking_list(x->a, "/remote-machines", "*", &machines));
	TRY(asking_list(x->a, "/remote-resources", "*", &resources));
	json_array_foreach (providers, k, p) {
		if (wanted.n && !str_equal(wanted, asking_text(p, "name")))
			continue;
		found++;
		export_rows(x, machines, p, true);
		export_rows(x, resources, p, false);
	}
	return !wanted.n || found ? OK
				  : ctx_fail_field(x->a->c, ERR_NOT_FOUND, STR("provider"),
						   "there is no provider %" STR_FMT, STR_ARG(wanted));
}

static RESULT export_terraform(struct asking *a)
{
	struct str wanted = asking_arg(a, "provider");
	struct export x = {.a = a, .names = json_object()};
	buf_add_str(&a->text, STR("# terraform plan -generate-config-out=imported.tf\n\n"));
	struct result result = wanted.n ? OK : export_here(&x);
	if (result_is_ok(result))
		result = export_elsewhere(&x, wanted);
	json_decref(x.names);
	return result;
}

const struct command terraform_commands[] = {
	{"export terraform-import",
	 "Prints Terraform's import blocks for the account's resources, here and in other clouds.",
	 {{"provider", PARAM_OPTION, false, "Provider (default: this region and all providers)."}},
	 .ask = export_terraform},
	{0},
};
