/* SPDX-License-Identifier: Apache-2.0
 * Page of a remote machine in its cloud's own console. The link has no token: whoever opens it signs in there, so that the
 * provider's credentials open no guest. The forms of the links are from the vendors' consoles, and are not tested there. */
#include "api/native/action.h"

#include "engine/resolve.h"
#include "store/provider.h"
#include "store/remote_machine.h"

/* Endpoint without the path. */
static struct str origin_of(struct str endpoint)
{
	size_t scheme = str_find_char(endpoint, ':', 0) + 3;
	return str_slice(endpoint, 0, str_find_char(endpoint, '/', scheme));
}

static struct str encode(struct ctx *c, struct str text)
{
	return str_encode_url(c->arena, text, false);
}

static struct str link_aws(struct ctx *c, const struct provider *p, const struct remote_machine *m)
{
	struct str region = encode(c, p->region);
	return str_print(c->arena,
			 "https://%" STR_FMT ".console.aws.amazon.com/ec2/home?region=%" STR_FMT
			 "#ConnectToInstance:instanceId=%" STR_FMT,
			 STR_ARG(region), STR_ARG(region), STR_ARG(encode(c, m->ref)));
}

static struct str link_azure(struct ctx *c, const struct provider *p, const struct remote_machine *m)
{
	size_t colon = str_find_char(m->ref, ':', 0);
	struct str group = encode(c, str_slice(m->ref, 0, colon)),
		   name = encode(c, str_slice(m->ref, colon + 1, m->ref.n));
	return str_print(c->arena,
			 "https://portal.azure.com/#@%" STR_FMT "/resource/subscriptions/%" STR_FMT
			 "/resourceGroups/%" STR_FMT "/providers/Microsoft.Compute/virtualMachines/%" STR_FMT
			 "/serialConsole",
			 STR_ARG(encode(c, p->domain)), STR_ARG(encode(c, p->project)), STR_ARG(group),
			 STR_ARG(name));
}

static struct str link_cloudstack(struct ctx *c, const struct provider *p, const struct remote_machine *m)
{
	struct str site = p->endpoint;
	if (str_ends_with(site, STR("/api")))
		site = str_slice(site, 0, site.n - 4);
	return str_print(c->arena, "%" STR_FMT "/#/vm/%" STR_FMT, STR_ARG(site), STR_ARG(encode(c, m->ref)));
}

/* A vCenter's ids of machines begin with "vm-"; those of an ESXi host are numbers. */
static struct str link_vmware(struct ctx *c, const struct provider *p, const struct remote_machine *m)
{
	struct str origin = origin_of(p->endpoint), id = encode(c, m->ref);
	if (!str_starts_with(m->ref, STR("vm-")))
		return str_print(c->arena, "%" STR_FMT "/ui/#/host/vms/%" STR_FMT, STR_ARG(origin),
				 STR_ARG(id));
	return str_print(c->arena,
			 "%" STR_FMT "/ui/app/vm;nav=h/urn:vmomi:VirtualMachine:%" STR_FMT ":%" STR_FMT
			 "/summary",
			 STR_ARG(origin), STR_ARG(id), STR_ARG(encode(c, p->identity)));
}

static const struct {
	const char *name;
	bool is_public; /* the link is one of the vendor's own cloud, not of another one with its API */
	struct str (*link)(struct ctx *c, const struct provider *p, const struct remote_machine *m);
} clouds[] = {[PROVIDER_CLOUD_AWS] = {"AWS", true, link_aws},
	      [PROVIDER_CLOUD_OPENSTACK] = {"OpenStack", false, NULL},
	      [PROVIDER_CLOUD_CLOUDSTACK] = {"CloudStack", false, link_cloudstack},
	      [PROVIDER_CLOUD_AZURE] = {"Azure", true, link_azure},
	      [PROVIDER_CLOUD_VMWARE] = {"VMware", false, link_vmware},
	      [PROVIDER_CLOUD_HYPERV] = {"Hyper-V", false, NULL}};

static RESULT answer_console(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	(void) args;
	TRY(native_find_row(e, KIND_REMOTE_MACHINE, &e->target, &row));
	const struct remote_machine *m = remote_machine_of(row);
	const struct provider *p = provider_find(native_tables(e), m->provider);
	if (!p)
		return engine_fail_not_found(e->c, KIND_REMOTE_MACHINE, &e->target);
	if (!engine_is_own(e->c, KIND_PROVIDER, &p->row)) /* the endpoint is the owner's */
		return ctx_fail(e->c, ERR_DENIED,
				"Links to the cloud's console are for the provider's owner.");
	if (!clouds[p->cloud].link || (clouds[p->cloud].is_public && p->endpoint.n))
		return ctx_fail(e->c, ERR_UNSUPPORTED, "%s has no page of a machine that is known here.",
				clouds[p->cloud].is_public ? "A cloud with an endpoint of its own"
							   : clouds[p->cloud].name);
	struct str url = clouds[p->cloud].link(e->c, p, m);
	if (!url.p)
		return ctx_no_memory(e->c);
	json_write_text(w, "url", url);
	return OK;
}

static const struct native_action rows[] = {
	{HTTP_GET, "/remote-machines/{id}/console", .permit = "dari:ListRemoteMachines",
	 .kind = KIND_REMOTE_MACHINE, .prepare = native_prepare_row, .answer = answer_console,
	 .doc = "The machine's page in its cloud's own console, where its guest's console is opened."},
};
const struct api_actions native_console_link_actions = API_ACTIONS(rows);
