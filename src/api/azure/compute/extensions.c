/* SPDX-License-Identifier: Apache-2.0
 * Virtual machine extensions, and Run Command, which is implemented as an extension. The agent in the guest
 * downloads a program and runs it with settings (api/metadata/azure_wire.c). A change ends when the guest
 * reports its result. Source: Azure REST API reference, "Virtual Machine Extensions" and "Virtual Machines -
 * Run Command", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_issue.h"
#include "engine/instance/azure_guest.h"
#include "engine/resolve.h"
#include "model/azure_guest.h"
#include "store/instance.h"
#include "store/instance_extension.h"

#define COMMAND_EXTENSION "RunCommandLinux" /* Azure's name of the extension that runs commands */
enum { PARAMETERS_MAX = 64 };
static const int64_t certified_us = 3650 * 24 * HOUR;

/* ---- what is shown ---- */

static const char *state_of(const struct instance_extension *x)
{
	if (x->is_leaving)
		return "Deleting";
	if (!engine_extension_has_ended(x))
		return x->sequence ? "Updating" : "Creating";
	return x->status == INSTANCE_EXTENSION_STATUS_ERROR ? "Failed" : "Succeeded";
}

static void write_settings(struct az_call *e, struct json_writer *w, struct str settings)
{
	json_t *document = json_loadb(settings.p ? settings.p : "", settings.n, 0, NULL);
	(void) e;
	if (document)
		json_write_raw(w, "settings", settings);
	json_decref(document);
}

static bool wants_view(const struct az_call *e)
{
	return str_equal_nocase(az_query_value(e, "$expand"), STR("instanceView"));
}

/* Writes the properties without protected settings, which no answer shows. */
static void write_properties(struct az_call *e, struct json_writer *w, const struct instance_extension *x)
{
	json_write_open(w, "properties");
	json_write_text(w, "publisher", x->publisher);
	json_write_text(w, "type", x->type);
	json_write_text(w, "typeHandlerVersion", x->version);
	json_write_bool(w, "autoUpgradeMinorVersion", x->auto_upgrade);
	write_settings(e, w, x->settings);
	json_write_z(w, "provisioningState", state_of(x));
	if (wants_view(e)) {
		json_write_open(w, "instanceView");
		json_write_text(w, "name", x->name);
		json_write_text(w, "type",
				str_print(e->c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(x->publisher),
					  STR_ARG(x->type)));
		json_write_text(w, "typeHandlerVersion", x->handler_version);
		json_write_open_list(w, "statuses");
		az_write_extension_status(e, w, x);
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_members(struct az_call *e, struct json_writer *w, const struct instance_extension *x)
{
	json_write_text(w, "name", x->name);
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT "/extensions/%" STR_FMT,
				  STR_ARG(az_id_of(e, AZ_MACHINES, KIND_INSTANCE, x->instance)),
				  STR_ARG(x->name)));
	json_write_z(w, "type", "Microsoft.Compute/virtualMachines/extensions");
	json_write_text(w, "location", az_location(e));
	write_properties(e, w, x);
}

static void write_all(struct az_call *e, struct json_writer *w, const char *name, uuid instance)
{
	const struct tables *t = az_tables(e);
	json_write_open_list(w, name);
	for (const struct instance_extension *x = engine_first_extension(t, instance); x;
	     x = engine_next_extension(t, x)) {
		if (engine_is_kept_command(x))
			continue;
		json_write_open(w, NULL);
		write_members(e, w, x);
		json_write_close(w);
	}
	json_write_close_list(w);
}

void az_write_extensions(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	if (engine_first_extension(az_tables(e), i->row.id))
		write_all(e, w, "resources", i->row.id);
}

/* ---- finding ---- */

RESULT az_find_machine(struct az_call *e, struct ref *ret_ref)
{
	const struct row *row = NULL;
	TRY(az_find_named(e, AZ_MACHINES, KIND_INSTANCE, "vmName", &row));
	*ret_ref = ref_by_id(KIND_INSTANCE, row->id);
	ret_ref->field = STR("vmName");
	ret_ref->text = az_path_value(e, "vmName");
	return OK;
}

/* Finds the machine's extension of that name; NULL: there is none. */
static const struct instance_extension *find_extension(struct az_call *e, uuid instance)
{
	const struct instance_extension *x =
		engine_find_extension(az_tables(e), instance, az_path_value(e, "vmExtensionName"));
	return x && !engine_is_kept_command(x) ? x : NULL;
}

/* ---- reads ---- */

static RESULT prepare_read(struct az_call *e, void *args)
{
	struct extension_args *a = args;
	return az_find_machine(e, &a->ref);
}

static RESULT show_list(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct extension_args *a = args;
	write_all(e, w, "value", a->ref.prefix);
	return OK;
}

static RESULT show_one(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct extension_args *a = args;
	const struct instance_extension *x = find_extension(e, a->ref.prefix);
	if (!x)
		return ctx_fail(e->c, ERR_NOT_FOUND,
				"The Resource 'Microsoft.Compute/virtualMachines/%" STR_FMT
				"/extensions/%" STR_FMT "' under resource group '%" STR_FMT
				"' was not found. For more details please go to "
				"https://aka.ms/ARMResourceNotFoundFix",
				STR_ARG(str_slice(az_path_value(e, "vmName"), 0, 128)),
				STR_ARG(str_slice(az_path_value(e, "vmExtensionName"), 0, 128)),
				STR_ARG(az_path_value(e, "resourceGroupName")));
	write_members(e, w, x);
	return OK;
}

/* ---- changes ---- */

static struct str text_of(struct az_call *e, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return str_copy(e->c->arena, (struct str){json_string_value(value), json_string_length(value)});
}

RESULT az_dump_json(struct az_call *e, const json_t *document, struct str *ret_text)
{
	char *text = json_dumps(document, JSON_COMPACT);
	*ret_text = text ? str_copy(e->c->arena, str_from(text)) : STR_NONE;
	free(text);
	return ret_text->p ? OK : ctx_no_memory(e->c);
}

/* Reads a settings object as JSON text; null counts as absent. */
static RESULT read_settings(struct az_call *e, const json_t *properties, const char *name,
			    struct str *ret_text)
{
	const json_t *settings = json_object_get(properties, name);
	*ret_text = STR_NONE;
	if (!settings || json_is_null(settings))
		return OK;
	if (!json_is_object(settings))
		return az_fail(e, name, "The value of parameter %s is invalid.", name);
	TRY(az_dump_json(e, settings, ret_text));
	return ret_text->n <= EXTENSION_SETTINGS_MAX
		       ? OK
		       : az_fail(e, name, "The value of parameter %s has more than %d characters.", name,
				 EXTENSION_SETTINGS_MAX);
}

/* Encrypts the protected settings with the region's master key. The work on the lane makes the machine's extension key if it has none. */
RESULT az_take_secret(struct az_call *e, struct extension_args *a)
{
	const struct instance *i = instance_find(az_tables(e), a->ref.prefix);
	const struct azure_guest *g = engine_find_azure_guest(az_tables(e), a->ref.prefix);
	struct str owner = uuid_to_str(e->c->arena, i->account);
	e->skips_work = !a->secret.n || (g && g->key.n);
	e->lane = e->config->key_lane;
	e->asker = e->c->who->account;
	a->instance = i->account;
	return a->secret.n ? crypto_seal(e->c, e->config->master_key, owner, a->secret,
					 &a->wish.protected_settings)
			   : OK;
}

RESULT az_make_extension_key(struct work_item *w)
{
	struct az_call *e = w->arg;
	struct extension_args *a = e->args;
	struct str key;
	TRY(crypto_make_transport(e->c, STR("Microsoft Azure CRP Certificate Generator"), certified_us, &key,
				  &a->wish.certificate));
	return crypto_seal(e->c, e->config->master_key, uuid_to_str(e->c->arena, a->instance), key,
			   &a->wish.key);
}

static void take_old(const struct instance_extension *x, struct extension_wish *w)
{
	w->publisher = w->publisher.n ? w->publisher : x->publisher;
	w->type = w->type.n ? w->type : x->type;
	w->version = w->version.n ? w->version : x->version;
	w->settings = w->settings.n ? w->settings : x->settings;
}

static RESULT prepare_set(struct az_call *e, void *args)
{
	struct extension_args *a = args;
	const json_t *properties = json_object_get(e->body, "properties");
	TRY(az_find_machine(e, &a->ref));
	a->wish.instance = a->ref;
	a->wish.name = az_path_value(e, "vmExtensionName");
	a->wish.publisher = text_of(e, properties, "publisher");
	a->wish.type = text_of(e, properties, "type");
	a->wish.version = text_of(e, properties, "typeHandlerVersion");
	a->wish.auto_upgrade = json_is_true(json_object_get(properties, "autoUpgradeMinorVersion"));
	a->wish.again = text_of(e, properties, "forceUpdateTag").n > 0;
	TRY(read_settings(e, properties, "settings", &a->wish.settings));
	TRY(read_settings(e, properties, "protectedSettings", &a->secret));
	const struct instance_extension *x = find_extension(e, a->ref.prefix);
	if (x && e->call->method == HTTP_PATCH)
		take_old(x, &a->wish);
	e->status = x ? 200 : 201;
	return az_take_secret(e, a);
}

static RESULT show_set(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct extension_args *a = args;
	const struct row *row = NULL;
	TRY(api_find_returned(&e->core, a->wish.extension, &row));
	write_members(e, w, instance_extension_of(row));
	return OK;
}

/* Succeeds at once if the extension does not exist. */
static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct removal_args *a = args;
	TRY(az_find_machine(e, &a->ref));
	const struct instance_extension *x = find_extension(e, a->ref.prefix);
	a->wish.instance = a->ref;
	a->wish.name = az_path_value(e, "vmExtensionName");
	e->skips_operation = !x;
	e->status = x ? e->status : 204;
	return OK;
}

/* ---- commands ---- */

/* Reads RunShellScript's body: script (an array of lines) and parameters. */
static RESULT prepare_run(struct az_call *e, void *args)
{
	struct extension_args *a = args;
	struct str command = text_of(e, e->body, "commandId");
	const json_t *script = json_object_get(e->body, "script"),
		     *parameters = json_object_get(e->body, "parameters");
	TRY(az_find_machine(e, &a->ref));
	if (!str_equal_nocase(command, STR("RunShellScript")))
		return az_fail(e, "commandId", "The entity was not found: the command '%" STR_FMT "'.",
			       STR_ARG(str_slice(command, 0, 128)));
	if (!json_is_array(script) || !json_array_size(script))
		return az_fail(e, "script", "Required parameter 'script' is missing (null).");
	if (json_array_size(parameters) > PARAMETERS_MAX)
		return az_fail(e, "parameters", "A command has up to %d parameters.", PARAMETERS_MAX);
	json_t *settings = json_pack("{s:O, s:O?}", "script", script, "parameters",
				     json_is_null(parameters) ? NULL : parameters);
	struct result dumped = settings ? az_dump_json(e, settings, &a->wish.settings) : ctx_no_memory(e->c);
	json_decref(settings);
	a->wish.instance = a->ref;
	a->wish.permission = "instance_extension.run";
	a->wish.name = STR(COMMAND_EXTENSION);
	a->wish.publisher = STR("Dari");
	a->wish.type = STR(COMMAND_EXTENSION);
	a->wish.version = STR("1.0");
	a->wish.auto_upgrade = a->wish.again = true;
	return dumped;
}

static const struct param extension_property_rows[] = {
	AZ_CORE_READS("forceUpdateTag|publisher|type|typeHandlerVersion|autoUpgradeMinorVersion|settings|"
		      "protectedSettings"),
	NOT_BUILT("enableAutomaticUpgrade|suppressFailures|protectedSettingsFromKeyVault|"
		  "provisionAfterExtensions"),
	AZ_READ_ONLY("provisioningState|instanceView"),
};
static const struct params extension_properties =
	AZ_SHAPE(extension_property_rows, .object = "VirtualMachineExtensionProperties");
static const struct param extension_rows[] = {
	AZ_SHAPE_OBJECT("properties", extension_properties),
	AZ_RESOURCE,
};
static const struct params extension_shape = AZ_SHAPE(extension_rows, .object = "VirtualMachineExtension");
static const struct param command_rows[] = {AZ_CORE_READS("commandId|script|parameters")};
static const struct params command_shape = AZ_SHAPE(command_rows, .object = "RunCommandInput");

#define MACHINE AZ_GROUP AZ_COMPUTE "/virtualMachines/{vmName}"
#define EXTENSION MACHINE "/extensions/{vmExtensionName}"
#define SET(verb, word, text)                                                                                \
	{                                                                                                    \
		verb, EXTENSION, .name = (word), .permit = "ec2:SetInstanceExtension", .flags = API_WRITES,  \
				 .type = AZ_EXTENSIONS, .args = {0, 0, sizeof(struct extension_args)},       \
				 .shape = &extension_shape, .prepare = prepare_set,                          \
				 .work = az_make_extension_key, .operation = engine_set_extension_run,       \
				 .returns = KIND_INSTANCE_EXTENSION, .answer = show_set,                     \
				 .outcome = ASYNC_JOB_OUTCOME_SETTLED, .kind = KIND_INSTANCE_EXTENSION,      \
				 AZ_SUBJECT(struct extension_args, wish.extension), .doc = (text)            \
	}
static const struct az_action actions[] = {
	{HTTP_GET, MACHINE "/extensions", .name = "VirtualMachineExtensions_List",
	 .permit = "ec2:DescribeInstanceExtensions", .type = AZ_EXTENSIONS,
	 .args = {0, 0, sizeof(struct extension_args)}, .prepare = prepare_read, .answer = show_list,
	 .query = "$expand=instanceView", .doc = "Lists the extensions of a virtual machine."},
	{HTTP_GET, EXTENSION, .name = "VirtualMachineExtensions_Get",
	 .permit = "ec2:DescribeInstanceExtensions", .type = AZ_EXTENSIONS,
	 .args = {0, 0, sizeof(struct extension_args)}, .prepare = prepare_read, .answer = show_one,
	 .query = "$expand=instanceView", .doc = "Gets one extension."},
	SET(HTTP_PUT, "VirtualMachineExtensions_CreateOrUpdate", "Creates or changes an extension."),
	SET(HTTP_PATCH, "VirtualMachineExtensions_Update", "Changes an extension's settings."),
	{HTTP_DELETE, EXTENSION, .name = "VirtualMachineExtensions_Delete",
	 .permit = "ec2:DeleteInstanceExtension", .flags = API_WRITES, .type = AZ_EXTENSIONS,
	 .args = {0, 0, sizeof(struct removal_args)}, .prepare = prepare_delete,
	 .operation = engine_delete_extension_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_GONE, .kind = KIND_INSTANCE_EXTENSION,
	 AZ_SUBJECT(struct removal_args, wish.extension), .doc = "Removes an extension from the guest."},
	{HTTP_POST, MACHINE "/runCommand", .name = "VirtualMachines_RunCommand",
	 .permit = "ec2:RunInstanceCommand", .flags = API_WRITES, .type = AZ_MACHINES,
	 .args = {0, 0, sizeof(struct extension_args)}, .shape = &command_shape, .prepare = prepare_run,
	 .operation = engine_set_extension_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_SETTLED, .kind = KIND_INSTANCE_EXTENSION,
	 AZ_SUBJECT(struct extension_args, wish.extension), .doc = "Runs a script in the guest."},
};
const struct api_actions az_extension_actions = API_ACTIONS(actions);
