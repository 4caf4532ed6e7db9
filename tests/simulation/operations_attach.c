/* SPDX-License-Identifier: Apache-2.0
 * Volumes and network interfaces that are created separately, attached to instances and detached. Those
 * created with an instance are its parts, and are not moved here. */
#include <stdio.h>

#include "simulation.h"

static bool is_part(const struct thing *t)
{
	return t->of != NULL;
}

/* The thing must not be attached; it may still be detaching. A part that ends before its instance, such as a
 * rebuilt one's root disk, is no longer attached. */
void attach_judge_free(const struct thing *t, struct verdict *v, const char *code)
{
	const struct thing *in = is_part(t) ? t->of : t->to;
	if (t->life != GONE && (in || t->left))
		refuse_or_doubt(v, t->life == LIVE && in && !model_may_have_ended(in), code);
}

void attach_apply_ending(struct request *x, struct str answer)
{
	(void) answer;
	model_end(&x->s->model, x->refs[0], ENDING);
}

/* ---- volumes ---- */

/* A shareable volume is a raw image, whose snapshots pause guests. The model attaches no second instance. */
static void draw_shared(struct request *x)
{
	request_add(x, "VolumeType", "io2");
	request_add(x, "Iops", "100");
	request_add(x, "MultiAttachEnabled", "true");
}

static bool draw_volume(struct request *x)
{
	if (random_below(4) == 0 && request_draw_again(x))
		return true;
	request_add(x, "AvailabilityZone", "xy-west-2a");
	x->count = 4 + (int64_t) random_below(3); /* minimum size of io2 */
	request_add(x, "Size", "%d", (int) x->count);
	x->flag = random_below(2) == 0;
	if (x->flag)
		request_add(x, "Encrypted", "true");
	else if (random_below(2) == 0)
		draw_shared(x);
	request_draw_token(x);
	return true;
}

static bool draw_os_volume(struct request *x)
{
	x->count = 1 + (int64_t) random_below(3);
	request_add(x, "size", "%d", (int) x->count);
	return true;
}

/* True if a deletion is under way: the order of the two calls is unknown. */
static bool is_being_deleted(const struct simulation *s, const struct thing *t)
{
	for (size_t k = 0; k < CLIENTS; k++) {
		const struct request *x = &s->clients[k];
		if (x->is_open && x->ref_count && x->refs[0] == t &&
		    str_starts_with(str_from(x->operation->action), STR("Delete")))
			return true;
	}
	return false;
}

/* The repeated call returns the volume that the first call with the token created, while it exists. */
static void judge_repeated_volume(const struct request *x, struct verdict *v)
{
	EACH (&x->s->model, t, KIND_VOLUME)
		if (t->origin == x->origin && t->life == LIVE) {
			if (is_being_deleted(x->s, t))
				doubt(v, "InvalidVolume.NotFound");
			return;
		}
	refuse(v, "InvalidVolume.NotFound");
}

static void judge_volume(const struct request *x, struct verdict *v)
{
	if (request_is_repeated(x)) {
		judge_repeated_volume(x, v);
		return;
	}
	if (x->s->hosts_shaken)
		doubt(v, request_word(x, "InsufficientVolumeCapacity", "409"));
	if (strstr(x->text,
		   "MultiAttachEnabled")) /* the model does not follow encryption by default of shared volumes */
		doubt(v, "UnsupportedOperation");
}

static void apply_volume(struct request *x, struct str answer)
{
	struct str id = request_made(x, answer, "volumeId", "volume/id");
	if (request_is_repeated(x)) {
		request_check_repeated(x, id);
		return;
	}
	struct thing *t = model_add(&x->s->model, KIND_VOLUME, x->account, NULL, id);
	t->gibibytes = x->count;
	t->encryption = x->flag ? ENCRYPTED : NOT_KNOWN_YET;
	t->is_shared = strstr(x->text, "MultiAttachEnabled") != NULL;
	t->origin = x->origin;
	request_apply_tag(x, t);
}

void attach_judge_delete_volume(const struct request *x, struct verdict *v)
{
	attach_judge_free(x->refs[0], v, request_word(x, "VolumeInUse", "400"));
	EACH (&x->s->model, t, KIND_SNAPSHOT)
		if (t->to == x->refs[0] && request_is_openstack(x))
			refuse(v, "400");
		else if (t->to == x->refs[0] && !t->is_complete)
			doubt(v, "IncorrectState");
}

/* True if a shareable volume has an instance, or is about to get one. */
static bool is_taken(const struct request *x, const struct thing *t)
{
	bool is_taken = t->to || t->left;
	for (size_t k = 0; k < CLIENTS && !is_taken; k++) {
		const struct request *other = &x->s->clients[k];
		is_taken = other != x && other->is_open && other->ref_count && other->refs[0] == t;
	}
	return t->is_shared && is_taken;
}

static bool draw_device(struct request *x)
{
	if (is_taken(x, request_find_ref(x, KIND_VOLUME)))
		return false;
	snprintf(x->name, sizeof x->name, "/dev/sd%c", (char) ('f' + random_below(3)));
	request_add(x, "Device", "%s", x->name);
	return true;
}

/* The model does not see whether an instance is starting or stopping at this moment. */
static void judge_attach_volume(const struct request *x, struct verdict *v)
{
	const struct thing *volume = request_find_ref(x, KIND_VOLUME),
			   *instance = request_find_ref(x, KIND_INSTANCE);
	attach_judge_free(volume, v, request_word(x, "VolumeInUse", "400"));
	if (!volume->is_complete) /* it is being created */
		doubt(v, request_word(x, "IncorrectState", "400"));
	if (x->s->hosts_shaken) /* its host may not see the volume's pool at this moment */
		doubt(v, request_word(x, "InsufficientVolumeCapacity", "400"));
	refuse_or_doubt(v, instance->life == ENDING, request_word(x, "IncorrectState", "409"));
	EACH (&x->s->model, t, KIND_VOLUME)
		if (t != volume && (t->to == instance || t->left == instance) &&
		    strcmp(t->name, x->name) == 0)
			refuse_or_doubt(v, t->to == instance,
					request_word(x, "InvalidParameterValue", "400"));
		else if (t->of == instance && t->is_spare)
			doubt(v, request_word(x, "InvalidParameterValue", "400"));
}

static void apply_attach(struct request *x, struct str answer)
{
	struct thing *volume = request_find_ref(x, KIND_VOLUME);
	struct thing *t = volume ? volume : request_find_ref(x, KIND_PORT);
	t->to = request_find_ref(x, KIND_INSTANCE);
	t->left = NULL;
	snprintf(t->name, sizeof t->name, "%s", x->name);
	snprintf(t->association, sizeof t->association, "%" STR_FMT,
		 STR_ARG(answer_at(answer, "attachmentId")));
}

static bool draw_os_device(struct request *x)
{
	if (request_find_ref(x, KIND_VOLUME)->is_shared) /* not with the microversion of these calls */
		return false;
	snprintf(x->name, sizeof x->name, "/dev/sd%c", (char) ('f' + random_below(3)));
	request_add(x, "device", "\"%s\"", x->name);
	return true;
}

/* CloudStack's call, which chooses the device. */
static bool draw_cs_volume(struct request *x)
{
	x->count = 1 + (int64_t) random_below(3);
	request_add(x, "zoneid", "%s", x->s->region.zone);
	request_add(x, "diskofferingid", "%s", x->s->region.disk_offering);
	request_add(x, "size", "%d", (int) x->count);
	return true;
}

static bool draw_cs_attach(struct request *x)
{
	x->name[0] = '\0';
	return !is_taken(x, x->refs[0]) && server_is_alone(x, x->refs[1]);
}

/* EC2's answer shows the device. */
static void apply_cs_attach(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	struct arena *a = x->s->region.cloud->arena;
	struct str form =
		str_print(a, "Action=DescribeVolumes&Filter.1.Name=volume-id&Filter.1.Value.1=%s", t->id);
	apply_attach(x, answer);
	struct str device = answer_at(request_get_answer(x->s, x->account, form.p),
				      "volumeSet/item/attachmentSet/item/device");
	snprintf(t->name, sizeof t->name, "%" STR_FMT, STR_ARG(device));
}

/* Mostly with the right instance. */
static bool draw_os_detach(struct request *x)
{
	struct thing *t = request_ref(x, "volume_id", KIND_VOLUME);
	if (!t || is_part(t))
		return false;
	if (t->to && random_below(8))
		request_name(x, "server_id", t->to);
	return (t->to && x->ref_count == 2) || request_ref(x, "server_id", KIND_INSTANCE);
}

/* A suspended server keeps its disks. */
void attach_judge_holder(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0], *holder = t->to ? t->to : t->left;
	if (holder && (holder->is_saved || holder->was_saved))
		refuse_or_doubt(v, t->to && holder->is_saved && server_is_at_rest(x, holder),
				request_word(x, "IncorrectState", "409"));
}

static void judge_os_detach(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	if (t->to != x->refs[1] || model_may_have_ended(x->refs[1]))
		refuse_or_doubt(v, t->to != x->refs[1], "404");
	if (!t->to || model_may_have_ended(t->to))
		doubt(v, "400");
	attach_judge_holder(x, v);
}

/* A paused guest releases no device, and the request would be repeated until it resumes. */
bool attach_may_let_go(const struct thing *t)
{
	const struct thing *in = t->to ? t->to : t->left;
	return !in || !in->is_paused;
}

static bool draw_cs_detach(struct request *x)
{
	const struct thing *t = x->refs[0];
	return !is_part(t) && attach_may_let_go(t) && (!t->to || server_is_alone(x, t->to));
}

/* Root volumes are not detached. */
static bool draw_detach_volume(struct request *x)
{
	if (random_below(4) == 0)
		request_add(x, "Force", "true");
	x->flag = x->text[strlen(x->text) - 1] == 'e';
	return !is_part(x->refs[0]) && attach_may_let_go(x->refs[0]);
}

static void judge_detach_volume(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	if (!t->to || model_may_have_ended(t->to))
		refuse_or_doubt(v, !t->to && !(t->left && x->flag), "IncorrectState");
	attach_judge_holder(x, v);
}

static void apply_detach(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	t->left = t->to ? t->to : t->left;
	t->to = NULL;
}

static bool draw_size(struct request *x)
{
	x->count = 1 + (int64_t) random_below(6);
	request_add(x, "Size", "%d", (int) x->count);
	return true;
}

void attach_judge_modify_volume(const struct request *x, struct verdict *v)
{
	if (x->count < x->refs[0]->gibibytes + request_is_openstack(x))
		refuse(v, request_word(x, "InvalidParameterValue", "400"));
	doubt(v, request_word(x, "IncorrectState", "400")); /* it is being created, or modified */
	doubt(v, request_word(x, "IncorrectModificationState", "409"));
	if (x->s->hosts_shaken)
		doubt(v, request_word(x, "InsufficientVolumeCapacity", "409"));
}

static bool draw_extend(struct request *x)
{
	x->count = 1 + (int64_t) random_below(6);
	request_add(x, "os-extend", "{\"new_size\": %d}", (int) x->count);
	return true;
}

static void apply_size(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->gibibytes = x->count;
}

/* ---- network interfaces ---- */

static bool draw_port(struct request *x)
{
	x->count = random_below(4) == 0;
	if (x->count)
		request_add(x, "SecondaryPrivateIpAddressCount", "%d", (int) x->count);
	return random_below(3) != 0 || request_ref(x, "SecurityGroupId.1", KIND_SECURITY_GROUP);
}

static void judge_port(const struct request *x, struct verdict *v)
{
	if (x->ref_count > 1 && !model_group_fits(&x->s->model, x->refs[1], x->refs[0]))
		refuse(v, "InvalidParameter");
}

static void add_second_ip(struct request *x, struct thing *port, struct str ips)
{
	struct thing *ip = model_add(&x->s->model, KIND_SECONDARY_IP, x->account, port, STR_NONE);
	struct str item;
	while (answer_next_item(&ips, &item))
		if (str_is(answer_at(item, "primary"), "false") &&
		    !result_is_ok(ip_parse(answer_at(item, "privateIpAddress"), &ip->block.base)))
			blame(x->s, "#%d: an address that is none", (int) x->serial);
	ip->block.bits = 32;
}

static void apply_port(struct request *x, struct str answer)
{
	struct thing *t = model_add(&x->s->model, KIND_PORT, x->account, NULL,
				    answer_at(answer, "networkInterface/networkInterfaceId"));
	t->subnet = x->refs[0];
	t->group = x->ref_count > 1 ? x->refs[1] : model_default_group(&x->s->model, x->refs[0]);
	if (x->count)
		add_second_ip(x, t, answer_at(answer, "networkInterface/privateIpAddressesSet"));
	request_apply_tag(x, t);
}

static void judge_delete_port(const struct request *x, struct verdict *v)
{
	attach_judge_free(x->refs[0], v, "InvalidNetworkInterface.InUse");
}

static bool draw_index(struct request *x)
{
	request_add(x, "DeviceIndex", "1");
	return true;
}

/* A t3.micro may have two interfaces, with two addresses each. */
static void judge_attach_port(const struct request *x, struct verdict *v)
{
	const struct thing *port = x->refs[0], *instance = x->refs[1];
	size_t ips = 1;
	EACH (&x->s->model, t, KIND_SECONDARY_IP)
		ips += t->of == port && t->life == LIVE;
	if (ips > 2)
		refuse(v, "PrivateIpAddressLimitExceeded");
	attach_judge_free(port, v, "InvalidNetworkInterface.InUse");
	if (model_may_have_ended(instance))
		refuse_or_doubt(v, instance->life == ENDING, "IncorrectInstanceState");
	EACH (&x->s->model, t, KIND_PORT)
		if (t != port && t->to == instance) {
			refuse(v, "InvalidParameterValue");
			refuse(v, "AttachmentLimitExceeded");
		} else if (t != port && t->left == instance) {
			doubt(v, "InvalidParameterValue");
			doubt(v, "AttachmentLimitExceeded");
		}
}

static bool draw_detach_port(struct request *x)
{
	struct thing *t = request_ref(x, NULL, KIND_PORT);
	if (!t || is_part(t) || !t->association[0] || !attach_may_let_go(t))
		return false;
	request_add(x, "AttachmentId", "%s", t->association);
	snprintf(x->name, sizeof x->name, "%s", t->association);
	return true;
}

/* The attachment is named: one that has ended is not found, one that is ending is accepted. */
static void judge_detach_port(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	bool is_present = strcmp(t->association, x->name) == 0 && t->life == LIVE && t->account == x->account;
	if (!is_present || !t->to || model_may_have_ended(t->to))
		refuse_or_doubt(v, !is_present || (!t->to && !t->left), "InvalidAttachmentID.NotFound");
}

#define ATTACHMENTS "/compute/v2.1/servers/{server_id}/os-volume_attachments"
static const struct operation rows[] = {
	{"POST /volume/v3/volumes", 3, {}, "volume", draw_os_volume, judge_volume, apply_volume},
	{"DELETE /volume/v3/volumes/{volume_id}",
	 2,
	 {{"volume_id", KIND_VOLUME}},
	 NULL,
	 NULL,
	 attach_judge_delete_volume,
	 attach_apply_ending},
	{"DELETE /compute/v2.1/os-volumes/{volume_id}",
	 1,
	 {{"volume_id", KIND_VOLUME}},
	 NULL,
	 NULL,
	 attach_judge_delete_volume,
	 attach_apply_ending},
	{"POST /volume/v3/volumes/{volume_id}/action",
	 2,
	 {{"volume_id", KIND_VOLUME}},
	 NULL,
	 draw_extend,
	 attach_judge_modify_volume,
	 apply_size},
	{"POST " ATTACHMENTS,
	 4,
	 {{"server_id", KIND_INSTANCE}, {"volumeId", KIND_VOLUME}},
	 "volumeAttachment",
	 draw_os_device,
	 judge_attach_volume,
	 apply_attach},
	{"DELETE " ATTACHMENTS "/{volume_id}", 2, {}, NULL, draw_os_detach, judge_os_detach, apply_detach},
	{"createVolume", 3, {}, NULL, draw_cs_volume, judge_volume, apply_volume},
	{"deleteVolume",
	 2,
	 {{"id", KIND_VOLUME}},
	 NULL,
	 NULL,
	 attach_judge_delete_volume,
	 attach_apply_ending},
	{"attachVolume",
	 4,
	 {{"id", KIND_VOLUME}, {"virtualmachineid", KIND_INSTANCE}},
	 NULL,
	 draw_cs_attach,
	 judge_attach_volume,
	 apply_cs_attach},
	{"detachVolume", 3, {{"id", KIND_VOLUME}}, NULL, draw_cs_detach, judge_detach_volume, apply_detach},
	{"CreateVolume", 4, {}, "volume", draw_volume, judge_volume, apply_volume},
	{"DeleteVolume",
	 2,
	 {{"VolumeId", KIND_VOLUME}},
	 NULL,
	 NULL,
	 attach_judge_delete_volume,
	 attach_apply_ending},
	{"AttachVolume",
	 6,
	 {{"VolumeId", KIND_VOLUME}, {"InstanceId", KIND_INSTANCE}},
	 NULL,
	 draw_device,
	 judge_attach_volume,
	 apply_attach},
	{"DetachVolume",
	 3,
	 {{"VolumeId", KIND_VOLUME}},
	 NULL,
	 draw_detach_volume,
	 judge_detach_volume,
	 apply_detach},
	{"ModifyVolume",
	 2,
	 {{"VolumeId", KIND_VOLUME}},
	 NULL,
	 draw_size,
	 attach_judge_modify_volume,
	 apply_size},
	{"CreateNetworkInterface",
	 3,
	 {{"SubnetId", KIND_SUBNET}},
	 "network-interface",
	 draw_port,
	 judge_port,
	 apply_port},
	{"DeleteNetworkInterface",
	 2,
	 {{"NetworkInterfaceId", KIND_PORT}},
	 NULL,
	 NULL,
	 judge_delete_port,
	 attach_apply_ending},
	{"AttachNetworkInterface",
	 5,
	 {{"NetworkInterfaceId", KIND_PORT}, {"InstanceId", KIND_INSTANCE}},
	 NULL,
	 draw_index,
	 judge_attach_port,
	 apply_attach},
	{"DetachNetworkInterface", 2, {}, NULL, draw_detach_port, judge_detach_port, apply_detach},
};
const struct operations attach_operations = {rows, sizeof rows / sizeof *rows};
