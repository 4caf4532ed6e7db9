/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes the readers of WinRM's answers and of NTLM's challenge. What they accept must fit into a row. */
#include <stdlib.h>

#include "drivers/remote/hyperv/machines.h"
#include "drivers/remote/hyperv/ntlm.h"
#include "drivers/remote/hyperv/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same page is read as each part, as a host might answer. */
static void read_machines(struct ctx *c, struct str text)
{
	struct remote_page page;
	struct hyperv_reading *reading = hyperv_begin_machines(c, true);
	for (int part = 0; reading && part < HYPERV_PARTS; part++)
		if (!result_is_ok(hyperv_read_machines(reading, (enum hyperv_part) part, text)))
			ctx_clear_problem(c);
	if (reading && result_is_ok(hyperv_end_machines(reading, &page)))
		for (size_t k = 0; k < page.count; k++)
			if (!page.machines[k].ref.n ||
			    row_find_too_large(&model_kinds[KIND_REMOTE_MACHINE], &page.machines[k].row))
				abort();
	ctx_clear_problem(c);
}

static void read_resources(struct ctx *c, struct str text)
{
	struct remote_resource_page page;
	struct str id = STR("6d9a0a3e-0000-4000-8000-000000000001");
	const struct hyperv_ids machines = {&id, 1, 1};
	for (int type = 0; type <= REMOTE_RESOURCE_TYPE_DATASTORE; type++) {
		bool is_read = HYPERV_RESOURCE_TYPES & 1U << type &&
			       result_is_ok(hyperv_read_resources(c, text, (enum remote_resource_type) type,
								  STR("HV1"), &machines, &page));
		for (size_t k = 0; is_read && k < page.count; k++)
			if (!page.at[k].ref.n ||
			    row_find_too_large(&model_kinds[KIND_REMOTE_RESOURCE], &page.at[k].row))
				abort();
		ctx_clear_problem(c);
	}
}

static void read_answers(struct ctx *c, struct str text)
{
	static const char *const wanted[] = {"ReturnValue", "Job.InstanceID", "Name", "Data", NULL};
	static struct wsman_instance instance;
	struct wsman_fault fault;
	struct str product = STR_NONE;
	struct ntlm_challenge challenge;
	IGNORE(wsman_read_result(c, text, "RequestStateChange", wanted, &instance)); /* any outcome will do */
	ctx_clear_problem(c);
	IGNORE(wsman_read_embedded(c, text, wanted, &instance));
	ctx_clear_problem(c);
	IGNORE(wsman_read_identity(c, text, &product));
	ctx_clear_problem(c);
	if (result_is_ok(wsman_read_fault(c, text, &fault)) && wsman_err_of_fault(&fault) == ERR_NONE)
		abort();
	ctx_clear_problem(c);
	IGNORE(ntlm_read_challenge(c, text, &challenge));
	ctx_clear_problem(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, 16 << 20);
	const struct str text = {(const char *) data, size};
	struct ctx c;
	ctx_init(&c, a);
	read_machines(&c, text);
	read_resources(&c, text);
	read_answers(&c, text);
	arena_free(a);
	return 0;
}
