/* SPDX-License-Identifier: Apache-2.0
 * Managed run commands: each is an extension of ours, run when it is set, whose output is stored; and the
 * documents of built-in commands. Not built: scripts from URIs, users other than root, timeouts, output to
 * blobs. Source: Azure REST API reference, "Virtual Machine Run Commands", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include "base/crypto.h"
#include "engine/resolve.h"
#include "store/instance_extension.h"

enum { PARAMETERS_MAX = 64 };

/* ---- request bodies ---- */

struct source {
	struct str script;
};
struct parameters {
	const struct parameter {
		struct str name, value;
	} * at;
	size_t count;
};
struct command_says {
	struct source source;
	struct parameters plain, secret;
};
struct command_args {
	struct extension_args extension; /* first member: passed to the operation */
	struct command_says properties;
};
static const struct param source_rows[] = {
	PARAM(struct source, "script", script, .flags = REQUIRED, .max = EXTENSION_SETTINGS_MAX,
	      .doc = "Text of the script."),
	NOT_BUILT("scriptUri|commandId|scriptUriManagedIdentity"),
	NOT_BUILT("galleryScriptReferenceId"),
	NOT_BUILT("scriptShell", .only = "Default"),
};
static const struct params source_params =
	PARAMS(struct source, source_rows, .object = "VirtualMachineRunCommandScriptSource");
static const struct param parameter_rows[] = {
	PARAM(struct parameter, "name", name, .flags = REQUIRED, .doc = "Name of a variable of the script."),
	PARAM(struct parameter, "value", value, .flags = REQUIRED, .max = 16384,
	      .doc = "Value of the variable."),
};
static const struct params parameter_params =
	PARAMS(struct parameter, parameter_rows, .object = "RunCommandInputParameter");
static const struct param property_rows[] = {
	PARAM_OBJECT(struct command_says, "source", source, source_params, .flags = REQUIRED,
		     .doc = "Script to run."),
	PARAM_LIST(struct command_says, "parameters", plain, parameter_params, .max = PARAMETERS_MAX,
		   .doc = "Parameters: variables, also passed as arguments."),
	PARAM_LIST(struct command_says, "protectedParameters", secret, parameter_params,
		   .max = PARAMETERS_MAX, .doc = "Protected parameters, which are never shown."),
	NOT_BUILT("runAsUser|runAsPassword|outputBlobUri|errorBlobUri|outputBlobManagedIdentity|"
		  "errorBlobManagedIdentity"),
	NOT_BUILT("asyncExecution", .only = "false"),
	NOT_BUILT("timeoutInSeconds", .only = "0"),
	AZ_READ_ONLY("provisioningState|instanceView"),
};
static const struct params property_params =
	PARAMS(struct command_says, property_rows, .object = "VirtualMachineRunCommandProperties");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct command_args, "properties", properties, property_params, .flags = REQUIRED,
		     .doc = "Script and its parameters."),
	AZ_RESOURCE,
};

/* ---- names ---- */

/* Prefixed, so that commands and extensions do not share a namespace. */
static struct str row_name(struct az_call *e)
{
	return str_print(e->c->arena, "command:%" STR_FMT,
			 STR_ARG(str_slice(az_path_value(e, "runCommandName"), 0, 128)));
}

/* Extension type for the agent, unique per command; letters and digits only. */
static struct str type_of(struct az_call *e)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(str_lower(e->c->arena, row_name(e)), digest);
	return str_print(e->c->arena, EXTENSION_OF_COMMANDS "_%" STR_FMT,
			 STR_ARG(str_encode_hex(e->c->arena, digest, 8)));
}

static struct str shown_name(const struct instance_extension *x)
{
	return str_slice(x->name, strlen("command:"), x->name.n);
}

/* ---- what is shown ---- */

/* Text under a heading of "Enable succeeded: \n[stdout]\n…\n[stderr]\n…", up to the next heading. */
static struct str part_of(struct str message, const char *heading, const char *next)
{
	size_t n = strlen(heading);
	for (size_t k = 0; k + n <= message.n; k++)
		if (memcmp(message.p + k, heading, n) == 0) {
			struct str rest = str_slice(message, k + n, message.n);
			for (size_t to = 0; next && to + strlen(next) <= rest.n; to++)
				if (memcmp(rest.p + to, next, strlen(next)) == 0)
					return str_slice(rest, 0, to);
			return rest;
		}
	return STR_NONE;
}

static const char *execution_state(const struct instance_extension *x)
{
	if (x->status == INSTANCE_EXTENSION_STATUS_TRANSITIONING)
		return "Running";
	if (!engine_extension_has_ended(x))
		return "Pending";
	return x->status == INSTANCE_EXTENSION_STATUS_ERROR ? "Failed" : "Succeeded";
}

static void write_view(struct json_writer *w, const struct instance_extension *x)
{
	json_write_open(w, "instanceView");
	json_write_z(w, "executionState", execution_state(x));
	json_write_z(w, "executionMessage", "");
	if (engine_extension_has_ended(x))
		json_write_int(w, "exitCode", x->code);
	json_write_text(w, "output", part_of(x->message, "\n[stdout]\n", "\n[stderr]\n"));
	json_write_text(w, "error", part_of(x->message, "\n[stderr]\n", NULL));
	az_write_time(w, "startTime", x->row.updated_us);
	if (engine_extension_has_ended(x))
		az_write_time(w, "endTime", x->seen_us);
	json_write_open_list(w, "statuses");
	json_write_close_list(w);
	json_write_close(w);
}

static void write_source(struct az_call *e, struct json_writer *w, const struct instance_extension *x)
{
	json_auto_t *settings = json_loadb(x->settings.p ? x->settings.p : "", x->settings.n, 0, NULL);
	const json_t *script = json_object_get(settings, "script");
	const json_t *parameters = json_object_get(settings, "parameters"), *item;
	size_t k;
	(void) e;
	json_write_open(w, "source");
	json_write_text(w, "script", (struct str){json_string_value(script), json_string_length(script)});
	json_write_close(w);
	json_write_open_list(w, "parameters");
	json_array_foreach ((json_t *) parameters, k, item) {
		json_write_open(w, NULL);
		json_write_z(w, "name", json_string_value(json_object_get(item, "name")));
		json_write_z(w, "value", json_string_value(json_object_get(item, "value")));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_members(struct az_call *e, struct json_writer *w, const struct instance_extension *x)
{
	bool wants_view = str_equal_nocase(az_query_value(e, "$expand"), STR("instanceView"));
	const char *state = !engine_extension_has_ended(x) ? x->sequence ? "Updating" : "Creating"
			    : x->status == INSTANCE_EXTENSION_STATUS_ERROR ? "Failed"
									   : "Succeeded";
	json_write_text(w, "name", shown_name(x));
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT "/runCommands/%" STR_FMT,
				  STR_ARG(az_id_of(e, AZ_MACHINES, KIND_INSTANCE, x->instance)),
				  STR_ARG(shown_name(x))));
	json_write_z(w, "type", "Microsoft.Compute/virtualMachines/runCommands");
	json_write_text(w, "location", az_location(e));
	json_write_open(w, "properties");
	write_source(e, w, x);
	json_write_bool(w, "asyncExecution", false);
	json_write_int(w, "timeoutInSeconds", 0);
	json_write_z(w, "provisioningState", x->is_leaving ? "Deleting" : state);
	if (wants_view)
		write_view(w, x);
	json_write_close(w);
}

static RESULT prepare_read(struct az_call *e, void *args)
{
	return az_find_machine(e, &((struct extension_args *) args)->ref);
}

static RESULT show_list(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct extension_args *a = args;
	const struct tables *t = az_tables(e);
	json_write_open_list(w, "value");
	const struct instance_extension *x = engine_first_extension(t, a->ref.prefix);
	for (; x; x = engine_next_extension(t, x)) {
		if (!engine_is_kept_command(x))
			continue;
		json_write_open(w, NULL);
		write_members(e, w, x);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT show_one(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct extension_args *a = args;
	const struct instance_extension *x = engine_find_extension(az_tables(e), a->ref.prefix, row_name(e));
	if (!x)
		return ctx_fail(e->c, ERR_NOT_FOUND,
				"The Resource 'Microsoft.Compute/virtualMachines/%" STR_FMT
				"/runCommands/%" STR_FMT "' under resource group '%" STR_FMT
				"' was not found. For more details please go to "
				"https://aka.ms/ARMResourceNotFoundFix",
				STR_ARG(str_slice(az_path_value(e, "vmName"), 0, 128)),
				STR_ARG(str_slice(az_path_value(e, "runCommandName"), 0, 128)),
				STR_ARG(az_path_value(e, "resourceGroupName")));
	write_members(e, w, x);
	return OK;
}

/* ---- changes ---- */

static RESULT add_parameters(struct az_call *e, json_t *to, const struct parameters *list)
{
	for (size_t k = 0; k < list->count; k++) {
		const struct parameter *p = &list->at[k];
		json_t *one = json_pack("{s:s%, s:s%}", "name", p->name.p, p->name.n, "value", p->value.p,
					p->value.n);
		if (!one || json_array_append_new(to, one) != 0)
			return ctx_no_memory(e->c);
	}
	return OK;
}

/* Writes the settings that our program reads (api/metadata/azure_package.c). */
static RESULT write_settings(struct az_call *e, const struct command_says *p, bool with_secrets,
			     struct str *ret_text)
{
	json_auto_t *parameters = json_array();
	TRY(add_parameters(e, parameters, &p->plain));
	if (with_secrets)
		TRY(add_parameters(e, parameters, &p->secret));
	json_auto_t *settings = json_pack("{s:s%, s:O}", "script", p->source.script.p, p->source.script.n,
					  "parameters", parameters);
	return settings ? az_dump_json(e, settings, ret_text) : ctx_no_memory(e->c);
}

static RESULT prepare_put(struct az_call *e, void *args)
{
	struct command_args *a = args;
	struct extension_wish *wish = &a->extension.wish;
	const struct command_says *p = &a->properties;
	TRY(az_find_machine(e, &a->extension.ref));
	TRY(write_settings(e, p, false, &wish->settings));
	if (p->secret.count)
		TRY(write_settings(e, p, true, &a->extension.secret));
	const struct instance_extension *x =
		engine_find_extension(az_tables(e), a->extension.ref.prefix, row_name(e));
	wish->instance = a->extension.ref;
	wish->permission = "instance_extension.run";
	wish->name = row_name(e);
	wish->publisher = STR("Dari");
	wish->type = type_of(e);
	wish->version = STR("1.0");
	wish->auto_upgrade = true;
	e->status = x ? 200 : 201;
	return az_take_secret(e, &a->extension);
}

static RESULT show_put(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct command_args *a = args;
	const struct row *row = NULL;
	TRY(api_find_returned(&e->core, a->extension.wish.extension, &row));
	write_members(e, w, instance_extension_of(row));
	return OK;
}

static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct removal_args *a = args;
	TRY(az_find_machine(e, &a->ref));
	const struct instance_extension *x = engine_find_extension(az_tables(e), a->ref.prefix, row_name(e));
	a->wish.instance = a->ref;
	a->wish.name = row_name(e);
	e->skips_operation = !x;
	e->status = x ? e->status : 204;
	return OK;
}

/* ---- commands that can be run ---- */

static void write_document(struct az_call *e, struct json_writer *w, bool with_script)
{
	(void) e;
	json_write_z(w, "$schema", "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json");
	json_write_z(w, "id", "RunShellScript");
	json_write_z(w, "osType", "Linux");
	json_write_z(w, "label", "Executes a Linux shell script");
	json_write_z(w, "description", "Executes a Linux shell script in the guest.");
	if (!with_script)
		return;
	json_write_open_list(w, "script");
	json_write_z(w, NULL, "echo");
	json_write_close_list(w);
	json_write_open_list(w, "parameters");
	json_write_close_list(w);
}

static RESULT list_documents(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "value");
	json_write_open(w, NULL);
	write_document(e, w, false);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static RESULT show_document(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str id = az_path_value(e, "commandId");
	(void) args;
	if (!str_equal_nocase(id, STR("RunShellScript")))
		return ctx_fail(e->c, ERR_NOT_FOUND, "The entity was not found: the command '%" STR_FMT "'.",
				STR_ARG(str_slice(id, 0, 128)));
	write_document(e, w, true);
	return OK;
}

#define MACHINE AZ_GROUP AZ_COMPUTE "/virtualMachines/{vmName}"
#define COMMAND MACHINE "/runCommands/{runCommandName}"
#define DOCUMENTS AZ_SUBSCRIPTION AZ_COMPUTE "/locations/{location}/runCommands"
#define READ(where, word, show, says)                                                                        \
	{                                                                                                    \
		HTTP_GET, where, .name = (word), .permit = "ec2:DescribeInstanceExtensions",                 \
				 .type = AZ_RUN_COMMANDS, .args = {0, 0, sizeof(struct extension_args)},     \
				 .prepare = prepare_read, .answer = (show), .query = "$expand=instanceView", \
				 .doc = (says)                                                               \
	}
#define SET(verb, word, says)                                                                                \
	{                                                                                                    \
		verb, COMMAND,                                                                               \
			.name = (word), .permit = "ec2:RunInstanceCommand", .flags = API_WRITES,             \
			.type = AZ_RUN_COMMANDS,                                                             \
			.args = PARAMS(struct command_args, put_rows, .object = "VirtualMachineRunCommand"), \
			.prepare = prepare_put, .work = az_make_extension_key,                               \
			.operation = engine_set_extension_run, .returns = KIND_INSTANCE_EXTENSION,           \
			.answer = show_put, .outcome = ASYNC_JOB_OUTCOME_SETTLED,                            \
			.kind = KIND_INSTANCE_EXTENSION,                                                     \
			AZ_SUBJECT(struct command_args, extension.wish.extension), .doc = (says)             \
	}
static const struct az_action actions[] = {
	READ(MACHINE "/runCommands", "VirtualMachineRunCommands_ListByVirtualMachine", show_list,
	     "Lists the run commands of a virtual machine."),
	READ(COMMAND, "VirtualMachineRunCommands_GetByVirtualMachine", show_one,
	     "Gets one run command and its result."),
	SET(HTTP_PUT, "VirtualMachineRunCommands_CreateOrUpdate", "Creates a run command and runs it."),
	SET(HTTP_PATCH, "VirtualMachineRunCommands_Update", "Changes a run command and runs it."),
	{HTTP_DELETE, COMMAND, .name = "VirtualMachineRunCommands_Delete",
	 .permit = "ec2:DeleteInstanceExtension", .flags = API_WRITES, .type = AZ_RUN_COMMANDS,
	 .args = {0, 0, sizeof(struct removal_args)}, .prepare = prepare_delete,
	 .operation = engine_delete_extension_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_GONE, .kind = KIND_INSTANCE_EXTENSION,
	 AZ_SUBJECT(struct removal_args, wish.extension), .doc = "Deletes a run command."},
	{HTTP_GET, DOCUMENTS, .name = "VirtualMachineRunCommands_List",
	 .permit = "ec2:DescribeInstanceExtensions", .type = AZ_COMMAND_DOCUMENTS, .answer = list_documents,
	 .doc = "Lists the built-in commands."},
	{HTTP_GET, DOCUMENTS "/{commandId}", .name = "VirtualMachineRunCommands_Get",
	 .permit = "ec2:DescribeInstanceExtensions", .type = AZ_COMMAND_DOCUMENTS, .answer = show_document,
	 .doc = "Gets one built-in command."},
};
const struct api_actions az_run_command_actions = API_ACTIONS(actions);
