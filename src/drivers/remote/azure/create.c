/* SPDX-License-Identifier: Apache-2.0
 * Creation of a virtual machine: a network interface in the given subnet, and the machine, both called "dari-" and the
 * row's id, in the subnet's resource group. A PUT of ARM creates what is not there and otherwise changes nothing, so that
 * a request that is sent twice makes one machine. Interface and disk go with the machine. Sources: REST reference of
 * Microsoft.Compute 2022-08-01 and Microsoft.Network 2022-07-01. */
#include "drivers/remote/azure/request.h"
#include "model/remote_machine.h"

#define ADMIN "azureuser"
enum { NAMES_MAX = 4 };

/* Inputs of the requests. */
struct making {
	struct ctx *c;
	struct remote *r;
	const struct remote_new *wish;
	struct str group, name, location, key;
	struct str subnet, interface; /* paths */
};

/* "a:b:c" as its parts. Returns their number; 0: one is empty, or there are more than NAMES_MAX. */
static size_t split(struct str text, struct str ret_parts[static NAMES_MAX])
{
	size_t count = 0;
	struct str part;
	while (str_split_next(&text, ':', &part)) {
		if (!part.n || count == NAMES_MAX || !str_is_line(part) ||
		    str_find_char(part, '/', 0) < part.n)
			return 0;
		ret_parts[count++] = part;
	}
	return count;
}

/* Path of a resource of the subscription. type: "Microsoft.Compute/images". */
static struct str path_of(const struct making *m, struct str group, const char *type, struct str name)
{
	struct arena *a = m->c->arena;
	return str_print(a, "/subscriptions/%" STR_FMT "/resourceGroups/%" STR_FMT "/providers/%s/%" STR_FMT,
			 STR_ARG(m->r->project), STR_ARG(str_encode_url(a, group, false)), type,
			 STR_ARG(str_encode_url(a, name, false)));
}

static RESULT find_subnet(struct making *m)
{
	struct str parts[NAMES_MAX];
	if (split(m->wish->subnet, parts) != 3)
		return ctx_fail_field(
			m->c, ERR_INVALID, STR("subnet"),
			"Azure needs a subnet, as GROUP:NETWORK:SUBNET; the machine is created in that "
			"resource group.");
	m->group = parts[0];
	struct str network = path_of(m, parts[0], "Microsoft.Network/virtualNetworks", parts[1]);
	m->subnet = str_print(m->c->arena, "%" STR_FMT "/subnets/%" STR_FMT, STR_ARG(network),
			      STR_ARG(str_encode_url(m->c->arena, parts[2], false)));
	m->location = m->r->region;
	if (!str_is(m->location, "all"))
		return OK;
	AUTO_ANSWER answer = {0};
	struct str path = str_print(m->c->arena, "%" STR_FMT "?" AZURE_NETWORK_VERSION, STR_ARG(network));
	TRY(azure_ask(m->c, m->r, "GET", azure_url_of(m->c, m->r, path), STR_NONE, &answer));
	m->location = remote_json_text(m->c, answer.root, "location");
	return m->location.n
		       ? OK
		       : ctx_fail(m->c, ERR_IO, "The answer is not usable: the network has no location.");
}

static RESULT find_key(struct making *m)
{
	AUTO_ANSWER answer = {0};
	struct str parts[NAMES_MAX];
	if (split(m->wish->key_name, parts) != 2)
		return ctx_fail_field(m->c, ERR_INVALID, STR("key_name"),
				      "Azure needs an SSH public key, as GROUP:NAME; the login is " ADMIN
				      ".");
	struct str path =
		str_print(m->c->arena, "%" STR_FMT "?" AZURE_COMPUTE_VERSION,
			  STR_ARG(path_of(m, parts[0], "Microsoft.Compute/sshPublicKeys", parts[1])));
	TRY(azure_ask(m->c, m->r, "GET", azure_url_of(m->c, m->r, path), STR_NONE, &answer));
	m->key = remote_json_text(m->c, answer.root, "properties/publicKey");
	return m->key.n ? OK
			: ctx_fail(m->c, ERR_IO, "The answer is not usable: the key pair has no public key.");
}

/* ---- bodies ---- */

static void write_tags(struct json_writer *w, const struct making *m)
{
	json_write_open(w, "tags");
	json_write_text(w, REMOTE_TOKEN_TAG, uuid_to_str(m->c->arena, m->wish->token));
	json_write_text(w, "Name", m->wish->name);
	for (size_t k = 0; k < m->wish->tags.count; k++) {
		json_write_key(w, m->wish->tags.at[k].key);
		json_write_text(w, NULL, m->wish->tags.at[k].value);
	}
	json_write_close(w);
}

static void write_id(struct json_writer *w, const char *member, struct str path)
{
	json_write_open(w, member);
	json_write_text(w, "id", path);
	json_write_close(w);
}

static RESULT write_interface(const struct making *m, struct str *ret_body)
{
	struct remote_body b;
	struct json_writer *w = &b.json;
	struct str parts[NAMES_MAX];
	remote_body_begin(&b);
	json_write_open(w, NULL);
	json_write_text(w, "location", m->location);
	write_tags(w, m);
	json_write_open(w, "properties");
	json_write_open_list(w, "ipConfigurations");
	json_write_open(w, NULL);
	json_write_z(w, "name", "primary");
	json_write_open(w, "properties");
	write_id(w, "subnet", m->subnet);
	json_write_close(w);
	json_write_close(w);
	json_write_close_list(w);
	if (m->wish->groups.count && split(m->wish->groups.at[0], parts) == 2)
		write_id(w, "networkSecurityGroup",
			 path_of(m, parts[0], "Microsoft.Network/networkSecurityGroups", parts[1]));
	json_write_close(w);
	json_write_close(w);
	return remote_body_end(m->c, &b, ret_body);
}

/* An image of the subscription, GROUP:NAME, or one of the marketplace, PUBLISHER:OFFER:SKU:VERSION. */
static void write_image(struct json_writer *w, const struct making *m)
{
	static const char *const members[NAMES_MAX] = {"publisher", "offer", "sku", "version"};
	struct str parts[NAMES_MAX];
	if (split(m->wish->image, parts) == 2) {
		write_id(w, "imageReference", path_of(m, parts[0], "Microsoft.Compute/images", parts[1]));
		return;
	}
	json_write_open(w, "imageReference");
	for (size_t k = 0; k < NAMES_MAX; k++)
		json_write_text(w, members[k], parts[k]);
	json_write_close(w);
}

static void write_login(struct json_writer *w, const struct making *m)
{
	json_write_open(w, "osProfile");
	json_write_text(w, "computerName", m->wish->name);
	json_write_z(w, "adminUsername", ADMIN);
	json_write_open(w, "linuxConfiguration");
	json_write_bool(w, "disablePasswordAuthentication", true);
	json_write_open(w, "ssh");
	json_write_open_list(w, "publicKeys");
	json_write_open(w, NULL);
	json_write_z(w, "path", "/home/" ADMIN "/.ssh/authorized_keys");
	json_write_text(w, "keyData", m->key);
	json_write_close(w);
	json_write_close_list(w);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
}

static void write_disk(struct json_writer *w, const struct making *m)
{
	json_write_open(w, "storageProfile");
	write_image(w, m);
	json_write_open(w, "osDisk");
	json_write_z(w, "createOption", "FromImage");
	json_write_z(w, "deleteOption", "Delete");
	json_write_close(w);
	json_write_close(w);
}

static void write_network(struct json_writer *w, const struct making *m)
{
	json_write_open(w, "networkProfile");
	json_write_open_list(w, "networkInterfaces");
	json_write_open(w, NULL);
	json_write_text(w, "id", m->interface);
	json_write_open(w, "properties");
	json_write_z(w, "deleteOption", "Delete");
	json_write_close(w);
	json_write_close(w);
	json_write_close_list(w);
	json_write_close(w);
}

static RESULT write_machine(const struct making *m, struct str *ret_body)
{
	struct remote_body b;
	struct json_writer *w = &b.json;
	remote_body_begin(&b);
	json_write_open(w, NULL);
	json_write_text(w, "location", m->location);
	write_tags(w, m);
	if (m->wish->zone.n) {
		json_write_open_list(w, "zones");
		json_write_text(w, NULL, m->wish->zone);
		json_write_close_list(w);
	}
	json_write_open(w, "properties");
	json_write_open(w, "hardwareProfile");
	json_write_text(w, "vmSize", m->wish->type);
	json_write_close(w);
	write_disk(w, m);
	write_login(w, m);
	write_network(w, m);
	json_write_close(w);
	json_write_close(w);
	return remote_body_end(m->c, &b, ret_body);
}

/* ---- requests ---- */

static struct str url_of(const struct making *m, struct str path, const char *version)
{
	return azure_url_of(m->c, m->r, str_print(m->c->arena, "%" STR_FMT "?%s", STR_ARG(path), version));
}

/* The interface of a machine that was refused would stay there unused. The refusal is what the row says. */
static void remove_interface(const struct making *m)
{
	AUTO_ANSWER answer = {0};
	struct problem refusal = m->c->problem;
	ctx_clear_problem(m->c);
	IGNORE(azure_ask(m->c, m->r, "DELETE", url_of(m, m->interface, AZURE_NETWORK_VERSION), STR_NONE,
			 &answer));
	ctx_clear_problem(m->c);
	m->c->problem = refusal;
}

static RESULT put_machine(const struct making *m, struct str path, struct remote_json *ret_answer)
{
	AUTO_ANSWER interface = {0};
	struct str body;
	TRY(write_interface(m, &body));
	TRY(azure_ask(m->c, m->r, "PUT", url_of(m, m->interface, AZURE_NETWORK_VERSION), body, &interface));
	TRY(write_machine(m, &body));
	struct result result =
		azure_ask(m->c, m->r, "PUT", url_of(m, path, AZURE_COMPUTE_VERSION), body, ret_answer);
	if (result.code == ERR_INVALID || result.code == ERR_DENIED || result.code == ERR_STATE ||
	    result.code == ERR_NOT_FOUND)
		remove_interface(m);
	return result;
}

static RESULT check(const struct remote_new *wish, struct ctx *c)
{
	struct str parts[NAMES_MAX];
	size_t count = split(wish->image, parts);
	if (count != 2 && count != 4)
		return ctx_fail_field(
			c, ERR_INVALID, STR("image"),
			"Azure needs an image as GROUP:NAME, or as PUBLISHER:OFFER:SKU:VERSION.");
	if (wish->groups.count > 1 || (wish->groups.count && split(wish->groups.at[0], parts) != 2))
		return ctx_fail_field(c, ERR_INVALID, STR("groups"),
				      "Azure takes one network security group, as GROUP:NAME.");
	return OK;
}

static RESULT read_made(const struct making *m, const json_t *vm, struct remote_machine *ret_machine)
{
	struct remote_machines list = {0};
	struct azure_addresses addresses = {0};
	TRY(azure_ask_addresses(m->c, m->r, vm, &addresses));
	TRY(azure_read_machine(m->c, vm, m->r->project, &addresses, &list));
	if (!uuid_equal(list.at[0].row.id, m->wish->token))
		return ctx_fail(m->c, ERR_IO,
				"The answer is not usable: it has not the machine that was created.");
	*ret_machine = list.at[0];
	if (ret_machine->power == REMOTE_MACHINE_POWER_UNKNOWN)
		ret_machine->power = REMOTE_MACHINE_POWER_PENDING;
	return OK;
}

RESULT azure_create(struct ctx *c, struct remote *r, const struct remote_new *wish,
		    struct remote_machine *ret_machine)
{
	AUTO_ANSWER found = {0};
	AUTO_ANSWER made = {0};
	struct making m = {.c = c, .r = r, .wish = wish};
	TRY(check(wish, c));
	TRY(find_subnet(&m));
	m.name = str_print(c->arena, AZURE_NAME_PREFIX "%" STR_FMT,
			   STR_ARG(uuid_to_str(c->arena, wish->token)));
	m.interface = path_of(&m, m.group, "Microsoft.Network/networkInterfaces", m.name);
	struct str path = path_of(&m, m.group, "Microsoft.Compute/virtualMachines", m.name);
	struct result result =
		azure_ask(c, r, "GET", url_of(&m, path, AZURE_COMPUTE_VERSION "&$expand=instanceView"),
			  STR_NONE, &found);
	if (result_is_ok(result))
		return read_made(&m, found.root, ret_machine);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	TRY(find_key(&m));
	TRY(put_machine(&m, path, &made));
	return read_made(&m, made.root, ret_machine);
}
