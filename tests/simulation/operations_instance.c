/* SPDX-License-Identifier: Apache-2.0
 * Instances: launched, with and without a client token, and moved between their states. */
#include <stdio.h>

#include "model/subnet.h"
#include "simulation.h"

/* ---- launching ---- */

static bool has_dedicated_host(const struct request *x)
{
	EACH (&x->s->model, t, KIND_DEDICATED_HOST)
		if (t->account == x->account)
			return true;
	return false;
}

static bool draw_run(struct request *x)
{
	if (random_below(6) == 0 && request_draw_again(x))
		return true;
	x->count = 1 + (int64_t) random_below(3);
	x->port = 1 + (int64_t) random_below((uint64_t) x->count); /* MinCount */
	request_add(x, "InstanceType", "t3.micro");
	x->is_hosted = has_dedicated_host(x) && random_below(3) == 0;
	if (x->is_hosted)
		request_add(x, "Placement.Tenancy", "host");
	request_add(x, "MinCount", "%d", (int) x->port);
	request_add(x, "MaxCount", "%d", (int) x->count);
	x->flag = random_below(3) == 0;
	if (x->flag)
		request_add(x, "InstanceInitiatedShutdownBehavior", "terminate");
	if (random_below(4) || !request_ref(x, "ImageId", KIND_IMAGE))
		request_add(x, "ImageId", "%s", x->s->region.image_id.p);
	if (random_below(2) && !request_ref(x, "SubnetId", KIND_SUBNET))
		return false;
	if (random_below(3) == 0 && !request_ref(x, "SecurityGroupId.1", KIND_SECURITY_GROUP))
		return false;
	request_draw_token(x);
	return true;
}

static struct thing *default_subnet(const struct request *x)
{
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->is_default && t->account == x->account)
			return t;
	return NULL;
}

static struct thing *thing_subnet(const struct request *x)
{
	struct thing *named = request_find_ref(x, KIND_SUBNET), *network = request_find_ref(x, KIND_NETWORK);
	EACH (&x->s->model, t, KIND_SUBNET)
		if (network && t->network == network)
			named = t;
	return named || network ? named : default_subnet(x);
}

/* How many more instances the account may have: at least, and at most if all ending ones have ended. */
static void count_room(const struct request *x, int64_t *ret_least, int64_t *ret_most)
{
	*ret_least = *ret_most = LIMIT_INSTANCES;
	EACH (&x->s->model, t, KIND_INSTANCE)
		if (t->account == x->account) {
			--*ret_least;
			*ret_most -= !model_may_have_ended(t);
		}
}

/* A repeated launch shows the first call's instances as long as one of them exists. */
static void judge_repeated(const struct request *x, struct verdict *v)
{
	bool may_live = false, lives = false;
	EACH (&x->s->model, t, KIND_INSTANCE)
		if (t->origin == x->origin) {
			may_live = may_live || t->life == LIVE;
			lives = lives || !model_may_have_ended(t);
		}
	if (!lives)
		refuse_or_doubt(v, !may_live, "IdempotentInstanceTerminated");
}

static void judge_run(const struct request *x, struct verdict *v)
{
	if (request_is_repeated(x)) {
		judge_repeated(x, v);
		return;
	}
	const struct thing *subnet = thing_subnet(x), *group = request_find_ref(x, KIND_SECURITY_GROUP);
	const struct thing *image = request_find_ref(x, KIND_IMAGE);
	int64_t least = 0, most = 0;
	count_room(x, &least, &most);
	if (!subnet) {
		refuse(v, request_word(x, "MissingInput", "400"));
		refuse(v, request_word(x, "VPCIdNotSpecified", "400")); /* not even a default VPC */
	}
	if (subnet && group && !model_group_fits(&x->s->model, group, subnet))
		refuse(v, request_word(x, "InvalidParameter", "400"));
	if (image && (!image->is_complete || image->is_disabled))
		refuse_or_doubt(v, image->is_empty || image->is_disabled,
				request_word(x, "InvalidAMIID.Unavailable", "409"));
	if (x->port > least)
		refuse_or_doubt(v, x->port > most, request_word(x, "InstanceLimitExceeded", "403"));
	const struct thing *vpc = subnet ? subnet->of : NULL;
	bool may_lack_host = x->s->hosts_shaken || x->s->hosts_divided || (vpc && vpc->is_alone);
	if (may_lack_host && !request_is_openstack(x))
		doubt(v, "InsufficientInstanceCapacity");
	if (x->s->hosts_shaken && !request_is_openstack(x)) /* its storage pool may be disconnected */
		doubt(v, "InsufficientVolumeCapacity");
	if (x->is_hosted) /* the dedicated host may be full, closed, or released meanwhile */
		doubt(v, "InsufficientCapacityOnHost");
}

/* A data disk outlives its instance, like attached volumes. */
static struct thing *add_volume(struct request *x, struct thing *instance, const char *name,
				int64_t gibibytes)
{
	bool is_root = name[0] == '\0';
	struct thing *t =
		model_add(&x->s->model, KIND_VOLUME, x->account, is_root ? instance : NULL, STR_NONE);
	t->to = is_root ? NULL : instance;
	t->gibibytes = gibibytes;
	snprintf(t->name, sizeof t->name, "%s", name);
	return t;
}

void instance_add_volumes(struct request *x, struct thing *instance)
{
	const struct thing *image = request_find_ref(x, KIND_IMAGE);
	if (!image)
		add_volume(x, instance, "", IMAGE_GIBIBYTES);
	EACH (&x->s->model, t, KIND_IMAGE_DEVICE)
		if (t->of == image)
			add_volume(x, instance, t->name, t->gibibytes)->encryption =
				model_encryption_of(t->to);
}

static struct thing *add_instance(struct request *x, struct str id, struct thing *subnet)
{
	struct model *m = &x->s->model;
	struct thing *t = model_add(m, KIND_INSTANCE, x->account, subnet, id);
	t->group = request_find_ref(x, KIND_SECURITY_GROUP);
	if (!t->group)
		t->group = model_default_group(m, t->of);
	t->wanted_on = true;
	t->is_public = t->of->is_public;
	t->ends_itself = x->flag;
	t->is_hosted = x->is_hosted;
	t->is_alone = subnet->of && subnet->of->is_alone && !x->is_hosted;
	x->s->hosts_divided |= t->is_alone;
	t->origin = x->origin;
	request_apply_tag(x, t);
	instance_add_volumes(x, t);
	(void) model_add(m, KIND_PORT, x->account, t, STR_NONE);
	return t;
}

static void apply_run(struct request *x, struct str answer)
{
	struct str set = answer_at(answer, "instancesSet"), item;
	bool repeats = request_is_repeated(x);
	int64_t least = 0, most = 0, count = 0;
	count_room(x, &least, &most);
	for (; answer_next_item(&set, &item); count++) {
		if (repeats)
			request_check_repeated(x, answer_at(item, "instanceId"));
		else
			(void) add_instance(x, answer_at(item, "instanceId"), thing_subnet(x));
	}
	int64_t wanted_least = least < x->count ? least : x->count,
		wanted_most = most < x->count ? most : x->count;
	if (x->s->hosts_shaken || x->s->hosts_divided || x->is_hosted)
		wanted_least = x->port;
	if (!repeats && (count < wanted_least || count > wanted_most))
		blame(x->s, "#%d: %d instances were launched instead of %d to %d", (int) x->serial,
		      (int) count, (int) wanted_least, (int) wanted_most);
}

/* A server on a network whose subnet gives it an address. Nova accepts it even if no host has room. */
static bool draw_server(struct request *x)
{
	x->count = x->port = 1;
	request_add(x, "name", "\"s%d\"", (int) x->serial);
	request_add(x, "flavorRef", "\"t3.micro\"");
	if (random_below(4) || !request_ref(x, "imageRef", KIND_IMAGE)) {
		char id[UUID_TEXT_SIZE];
		request_add(x, "imageRef", "\"%s\"", uuid_write(x->s->region.cloud->image, id));
	}
	struct thing *network = request_ref(x, NULL, KIND_NETWORK);
	if (!network)
		return false;
	request_add(x, "networks", "[{\"uuid\": \"%s\"}]", network->id);
	return true;
}

/* The same for CloudStack's machines. */
static bool draw_deploy(struct request *x)
{
	const struct region *r = &x->s->region;
	x->count = x->port = 1;
	request_add(x, "name", "s%d", (int) x->serial);
	request_add(x, "zoneid", "%s", r->zone);
	request_add(x, "serviceofferingid", "%s", r->offering);
	if (random_below(4) || !request_ref(x, "templateid", KIND_IMAGE))
		request_add(x, "templateid", "%s", r->template);
	/* The model has no machines without an address, which CloudStack makes in a network without subnets. */
	return request_ref(x, "networkids", KIND_NETWORK) && thing_subnet(x);
}

/* Neutron shows which of the network's subnets was chosen. */
static struct thing *find_chosen_subnet(struct request *x, struct str server)
{
	char form[120];
	snprintf(form, sizeof form, "GET /network/v2.0/ports?device_id=%" STR_FMT, STR_ARG(server));
	struct str ports = request_get_answer(x->s, x->account, form);
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->network == x->refs[x->ref_count - 1] &&
		    model_is_id(answer_at(ports, "ports/item/fixed_ips/item/subnet_id"), t))
			return t;
	return thing_subnet(x);
}

static void apply_server(struct request *x, struct str answer)
{
	struct str id = request_made(x, answer, NULL, "server/id");
	struct thing *t = add_instance(x, id, find_chosen_subnet(x, id));
	snprintf(t->server, sizeof t->server, "s%d", (int) x->serial);
	t->may_lack_host = x->s->hosts_shaken || x->s->hosts_divided;
	const struct thing *gateway = t->of->of ? model_gateway(&x->s->model, t->of->of) : NULL;
	if (request_is_cloudstack(x) && t->of->of &&
	    (t->of->of->is_virtual || (gateway && gateway->has_address && !t->is_public)))
		t->group =
			NULL; /* behind such a gateway the machine is in the open group, which the model does not contain */
	char form[120];
	snprintf(form, sizeof form, "GET /network/v2.0/ports?device_id=%" STR_FMT, STR_ARG(id));
	struct thing *port = model_part(&x->s->model, KIND_PORT, t);
	if (port)
		ipv6_take(x->s, port,
			  answer_at(request_get_answer(x->s, x->account, form), "ports/item/fixed_ips"));
}

/* ---- power ---- */

static bool draw_second(struct request *x)
{
	return random_below(5) != 0 || request_ref(x, "InstanceId.2", KIND_INSTANCE);
}

/* Applies a rule to each named instance. */
#define EACH_REF(x, t)                                                                                       \
	for (size_t k_ = 0; k_ < (x)->ref_count; k_++)                                                       \
		for (struct thing *t = (x)->refs[k_]; t; t = NULL)

static void judge_ended(const struct request *x, const struct thing *t, struct verdict *v)
{
	if (model_may_have_ended(t))
		refuse_or_doubt(v, t->life == ENDING, request_word(x, "IncorrectInstanceState", "409"));
}

/* Nova refuses to start a running server. */
void instance_judge_start(const struct request *x, struct verdict *v)
{
	EACH_REF (x, t) {
		judge_ended(x, t, v);
		if (!t->seen_stopped && (!t->wanted_on || model_may_be_off(t)))
			doubt(v, request_word(x, "IncorrectInstanceState", "409"));
		if (x->s->hosts_shaken) /* its host has a maintenance, and no other host has room */
			doubt(v, request_word(x, "InsufficientInstanceCapacity", "409"));
		if (request_is_openstack(x) && (t->wanted_on || t->is_saved || t->is_shelved || t->may_vary))
			refuse_or_doubt(v, server_is_at_rest(x, t), "409");
	}
}

/* An instance that leaves a host with a planned maintenance may find the other hosts closed, too. */
void instance_apply_start(struct request *x, struct str answer)
{
	(void) answer;
	EACH_REF (x, t) {
		server_start(x->s, t);
		t->may_lack_host =
			t->may_lack_host || x->s->hosts_shaken || (t->is_moved && x->s->hosts_divided);
	}
}

/* A stopped instance may be stopped again, except in Nova. */
void instance_judge_stop(const struct request *x, struct verdict *v)
{
	EACH_REF (x, t) {
		judge_ended(x, t, v);
		if (t->may_not_stop)
			refuse_or_doubt(v, t->wanted_on && !model_may_be_off(t),
					request_word(x, "OperationNotPermitted", "409"));
		if (request_is_openstack(x) && (!t->wanted_on || model_may_be_off(t) || t->is_moved))
			refuse_or_doubt(v,
					(t->seen_stopped && !t->wanted_on) ||
						(server_is_at_rest(x, t) && (t->is_paused || t->is_rescued)),
					"409");
	}
}

void instance_apply_stop(struct request *x, struct str answer)
{
	(void) answer;
	EACH_REF (x, t) {
		t->may_vary =
			t->may_vary || (x->flag && t->is_saved); /* its memory may be just being saved */
		if (t->wanted_on) {
			t->is_paused = t->is_saved = false;
			server_move(t);
		}
		t->wanted_on = false;
	}
}

static bool draw_stop(struct request *x)
{
	x->flag = random_below(4) == 0;
	if (x->flag)
		request_add(x, "Force", "true");
	return draw_second(x);
}

void instance_judge_reboot(const struct request *x, struct verdict *v)
{
	EACH_REF (x, t) {
		judge_ended(x, t, v);
		if (t->life == LIVE && (!t->wanted_on || model_may_be_off(t)))
			refuse_or_doubt(v, !t->wanted_on, request_word(x, "IncorrectInstanceState", "409"));
		if (t->life == LIVE && request_is_openstack(x))
			doubt(v,
			      "409"); /* Nova reboots a running server only, not one in transition or paused */
	}
}

void instance_apply_reboot(struct request *x, struct str answer)
{
	(void) answer;
	EACH_REF (x, t) {
		t->is_paused = false;
		server_move(t);
	}
}

/* Stop protection also prevents termination. */
void instance_judge_terminate(const struct request *x, struct verdict *v)
{
	EACH_REF (x, t)
		if (t->may_not_stop || t->may_not_end)
			refuse_or_doubt(v, !model_may_have_ended(t),
					request_word(x, "OperationNotPermitted", "409"));
}

void instance_apply_terminate(struct request *x, struct str answer)
{
	(void) answer;
	EACH_REF (x, t)
		server_end(x->s, t);
}

/* Nova starts, stops and reboots no server that awaits the confirmation of its resize. */
#define JUDGE_UNRESIZED(word)                                                                                \
	static void judge_os_##word(const struct request *x, struct verdict *v)                              \
	{                                                                                                    \
		if (x->refs[0]->is_resized)                                                                  \
			doubt(v, "409");                                                                     \
		instance_judge_##word(x, v);                                                                 \
	}
JUDGE_UNRESIZED(start)
JUDGE_UNRESIZED(stop)
JUDGE_UNRESIZED(reboot)

/* Nova's actions without parameters consist of their name. */
static bool draw_os_start(struct request *x)
{
	request_add(x, "os-start", "null");
	return true;
}

static bool draw_os_stop(struct request *x)
{
	request_add(x, "os-stop", "null");
	return true;
}

static bool draw_os_reboot(struct request *x)
{
	request_add(x, "reboot", "{\"type\": \"%s\"}", random_below(2) ? "SOFT" : "HARD");
	return true;
}

/* ---- CloudStack's commands: if a job waits for another, it takes effect later ---- */

static bool has_pending_job(const struct request *x)
{
	struct str jobs = request_get_answer(x->s, x->account, "GET /client/api?command=listAsyncJobs"), job;
	jobs = answer_at(jobs, "listasyncjobsresponse/asyncjobs");
	while (answer_next_item(&jobs, &job))
		if (str_is(answer_at(job, "jobstatus"), "0"))
			return true;
	return false;
}

/* No pending job that the command would wait for, and no call that would create one. */
static bool draw_alone(struct request *x)
{
	for (size_t k = 0; k < CLIENTS; k++) {
		const struct request *other = &x->s->clients[k];
		if (other != x && other->is_open && other->account == x->account &&
		    request_is_cloudstack(other))
			return false;
	}
	return x->refs[0]->account == x->account && !has_pending_job(x);
}

static bool draw_forced(struct request *x)
{
	x->flag = random_below(4) == 0;
	if (x->flag)
		request_add(x, "forced", "true");
	return draw_alone(x);
}

/* Its data disks are detached at once, unless its memory is saved. */
static bool draw_expunge(struct request *x)
{
	const struct thing *t = x->refs[0];
	request_add(x, "expunge", "true");
	return draw_alone(x) && server_is_alone(x, t) && !t->is_saved && !t->was_saved && !t->may_vary;
}

static void apply_expunge(struct request *x, struct str answer)
{
	EACH (&x->s->model, t, KIND_VOLUME)
		if (t->to == x->refs[0]) {
			t->left = t->to;
			t->to = NULL;
		}
	instance_apply_terminate(x, answer);
}

/* ---- reads from a host ---- */

static void judge_console(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "Unavailable"); /* the host may not answer */
	doubt(v, "InternalError");
}

static void judge_screen(const struct request *x, struct verdict *v)
{
	judge_console(x, v);
	doubt(v, "IncorrectInstanceState"); /* it is not seen running */
}

/* None of the images here boots by UEFI. */
static void judge_uefi_data(const struct request *x, struct verdict *v)
{
	(void) x;
	refuse(v, "UnsupportedOperation");
}

#define SERVER_ACTION "POST /compute/v2.1/servers/{server_id}/action"
#define SERVER                                                                                               \
	{                                                                                                    \
		{                                                                                            \
			"server_id", KIND_INSTANCE                                                           \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"POST /compute/v2.1/servers", 7, {}, "server", draw_server, judge_run, apply_server, true},
	{SERVER_ACTION, 3, SERVER, NULL, draw_os_start, judge_os_start, instance_apply_start},
	{SERVER_ACTION, 3, SERVER, NULL, draw_os_stop, judge_os_stop, instance_apply_stop},
	{SERVER_ACTION, 2, SERVER, NULL, draw_os_reboot, judge_os_reboot, instance_apply_reboot},
	{"DELETE /compute/v2.1/servers/{server_id}", 3, SERVER, NULL, NULL, instance_judge_terminate,
	 instance_apply_terminate},
	{"deployVirtualMachine", 5, {}, NULL, draw_deploy, judge_run, apply_server, true},
	{"startVirtualMachine",
	 4,
	 {{"id", KIND_INSTANCE}},
	 NULL,
	 draw_alone,
	 instance_judge_start,
	 instance_apply_start},
	{"stopVirtualMachine",
	 4,
	 {{"id", KIND_INSTANCE}},
	 NULL,
	 draw_forced,
	 instance_judge_stop,
	 instance_apply_stop},
	{"rebootVirtualMachine",
	 2,
	 {{"id", KIND_INSTANCE}},
	 NULL,
	 draw_alone,
	 instance_judge_reboot,
	 instance_apply_reboot},
	{"destroyVirtualMachine",
	 3,
	 {{"id", KIND_INSTANCE}},
	 NULL,
	 draw_expunge,
	 instance_judge_terminate,
	 apply_expunge},
	{"RunInstances", 14, {}, "instance", draw_run, judge_run, apply_run, true},
	{"StartInstances",
	 6,
	 {{"InstanceId.1", KIND_INSTANCE}},
	 NULL,
	 draw_second,
	 instance_judge_start,
	 instance_apply_start},
	{"StopInstances",
	 6,
	 {{"InstanceId.1", KIND_INSTANCE}},
	 NULL,
	 draw_stop,
	 instance_judge_stop,
	 instance_apply_stop},
	{"RebootInstances",
	 3,
	 {{"InstanceId.1", KIND_INSTANCE}},
	 NULL,
	 draw_second,
	 instance_judge_reboot,
	 instance_apply_reboot},
	{"TerminateInstances",
	 6,
	 {{"InstanceId.1", KIND_INSTANCE}},
	 NULL,
	 draw_second,
	 instance_judge_terminate,
	 instance_apply_terminate},
	{"GetConsoleOutput", 1, {{"InstanceId", KIND_INSTANCE}}, NULL, NULL, judge_console, NULL},
	{"GetPasswordData", 1, {{"InstanceId", KIND_INSTANCE}}, NULL, NULL, judge_console, NULL},
	{"GetConsoleScreenshot", 1, {{"InstanceId", KIND_INSTANCE}}, NULL, NULL, judge_screen, NULL},
	{"GetInstanceUefiData", 1, {{"InstanceId", KIND_INSTANCE}}, NULL, NULL, judge_uefi_data, NULL},
};
const struct operations instance_operations = {rows, sizeof rows / sizeof *rows};
