/* SPDX-License-Identifier: Apache-2.0
 * Guest reports in instance views: state of the agent, of extensions and of provisioning. Source: Azure REST
 * API reference, "Virtual Machines - Instance View", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include "base/clock.h"
#include "engine/instance/azure_guest.h"
#include "model/azure_guest.h"
#include "model/instance.h"
#include "model/instance_extension.h"

/* Time until a guest that has not reported ready counts as OSProvisioningTimedOut. */
static const int64_t provisioning_us = 40 * MINUTE;

static bool is_late(const struct instance *i)
{
	return clock_now_us() - i->row.created_us >= provisioning_us;
}

const char *az_guest_state(struct az_call *e, const struct instance *i)
{
	const struct azure_guest *g = engine_find_azure_guest(az_tables(e), i->row.id);
	if (!g || i->personality != INSTANCE_PERSONALITY_AZURE)
		return NULL;
	if (g->health == AZURE_GUEST_HEALTH_FAILED)
		return "Failed";
	if (g->health == AZURE_GUEST_HEALTH_NOT_READY)
		return is_late(i) ? "Failed" : "Creating";
	return NULL;
}

/* Writes why provisioning failed, in the guest's own words: Azure's wording around them is not known. */
void az_write_guest_failure(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	const struct azure_guest *g = engine_find_azure_guest(az_tables(e), i->row.id);
	struct str name = az_name_of(e, AZ_MACHINES, KIND_INSTANCE, i->row.id), message = g->health_text;
	bool is_said = g->health == AZURE_GUEST_HEALTH_FAILED;
	if (!is_said)
		message = str_print(e->c->arena,
				    "OS Provisioning for VM '%" STR_FMT
				    "' did not finish in the allotted time. The VM may still finish "
				    "provisioning successfully. Please check provisioning state later.",
				    STR_ARG(name));
	json_write_open(w, NULL);
	json_write_z(w, "code",
		     is_said ? "ProvisioningState/failed/OSProvisioningClientError"
			     : "ProvisioningState/failed/OSProvisioningTimedOut");
	json_write_z(w, "level", "Error");
	json_write_z(w, "displayStatus", "Provisioning failed");
	json_write_text(w, "message", message);
	az_write_time(w, "time", g->health_us);
	json_write_close(w);
}

/* ---- statuses ---- */

struct words {
	const char *code, *level, *shown;
};
static const struct words *words_of(const struct instance_extension *x)
{
	static const struct words of[] = {
		[INSTANCE_EXTENSION_STATUS_NONE] = {"creating", "Info", "Creating"},
		[INSTANCE_EXTENSION_STATUS_TRANSITIONING] = {"transitioning", "Info", "Transitioning"},
		[INSTANCE_EXTENSION_STATUS_SUCCESS] = {"succeeded", "Info", "Provisioning succeeded"},
		[INSTANCE_EXTENSION_STATUS_WARNING] = {"succeeded", "Warning", "Provisioning succeeded"},
		[INSTANCE_EXTENSION_STATUS_ERROR] = {"failed", "Error", "Provisioning failed"},
	};
	return &of[x->status];
}

void az_write_extension_status(struct az_call *e, struct json_writer *w, const struct instance_extension *x)
{
	const struct words *words = words_of(x);
	bool has_code = x->status == INSTANCE_EXTENSION_STATUS_ERROR && x->code;
	struct str code = str_print(e->c->arena, "ProvisioningState/%s%s%s", words->code, has_code ? "/" : "",
				    has_code ? str_print(e->c->arena, "%lld", (long long) x->code).p : "");
	json_write_open(w, NULL);
	json_write_text(w, "code", code);
	json_write_z(w, "level", words->level);
	json_write_z(w, "displayStatus", words->shown);
	json_write_text(w, "message", x->message);
	az_write_time(w, "time", x->seen_us);
	json_write_close(w);
}

static struct str full_type(struct az_call *e, const struct instance_extension *x)
{
	return str_print(e->c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(x->publisher), STR_ARG(x->type));
}

static void write_state(struct json_writer *w, const char *name, struct str state, struct str message,
			int64_t time_us)
{
	bool is_ready = str_is(state, "Ready");
	json_write_open(w, name);
	json_write_z(w, "code", is_ready ? "ProvisioningState/succeeded" : "ProvisioningState/failed");
	json_write_z(w, "level", is_ready ? "Info" : "Error");
	json_write_text(w, "displayStatus", state);
	json_write_text(w, "message", message);
	az_write_time(w, "time", time_us);
	json_write_close(w);
}

static void write_handlers(struct az_call *e, struct json_writer *w, uuid instance)
{
	const struct tables *t = az_tables(e);
	json_write_open_list(w, "extensionHandlers");
	for (const struct instance_extension *x = engine_first_extension(t, instance); x;
	     x = engine_next_extension(t, x)) {
		if (!x->handler_state.n)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "type", full_type(e, x));
		json_write_text(w, "typeHandlerVersion", x->handler_version);
		write_state(w, "status", x->handler_state, x->handler_message, 0);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_views(struct az_call *e, struct json_writer *w, uuid instance)
{
	const struct tables *t = az_tables(e);
	json_write_open_list(w, "extensions");
	for (const struct instance_extension *x = engine_first_extension(t, instance); x;
	     x = engine_next_extension(t, x)) {
		if (engine_is_kept_command(x))
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "name", x->name);
		json_write_text(w, "type", full_type(e, x));
		json_write_text(w, "typeHandlerVersion", x->version);
		json_write_open_list(w, "statuses");
		az_write_extension_status(e, w, x);
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close_list(w);
}

void az_write_agent(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	const struct azure_guest *g = engine_find_azure_guest(az_tables(e), i->row.id);
	if (!g || !g->agent_version.n)
		return;
	bool is_ready = str_is(g->agent_state, "Ready");
	json_write_text(w, "osName", g->os_name);
	json_write_text(w, "osVersion", g->os_version);
	json_write_open(w, "vmAgent");
	json_write_text(w, "vmAgentVersion", g->agent_version);
	json_write_open_list(w, "statuses");
	write_state(w, NULL, g->agent_state,
		    is_ready ? STR("Guest Agent is running") : STR("Guest Agent is not ready"),
		    g->reported_us);
	json_write_close_list(w);
	write_handlers(e, w, i->row.id);
	json_write_close(w);
	write_views(e, w, i->row.id);
}
