/* SPDX-License-Identifier: Apache-2.0
 * Spot instance requests: RequestSpotInstances, DescribeSpotInstanceRequests, CancelSpotInstanceRequests, and the terms
 * that RunInstances and launch templates have in common with them. Prices: spot_prices.c. */
#include "api/ec2/compute/spot_requests.h"

#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/launch_template_data.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/volumes.h"
#include "auth/guard/guard.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/instance/launch/spot.h"
#include "metering/money.h"
#include "model/security_group.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/security_group.h"
#include "store/spot_request.h"
#include "store/zone.h"

#define SPEC "LaunchSpecification."
enum { DECIMALS = 6, UNITS_MAX = 9 /* digits before the point */ }; /* of a price */

/* ---- terms ---- */

RESULT ec2_take_spot_time(struct ec2_call *e, struct str text, const char *field, int64_t *ret_time_us)
{
	if (str_is_empty(text) || result_is_ok(clock_parse(text, ret_time_us)))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "Value (%" STR_FMT ") for parameter %s is invalid. Invalid date.",
			      STR_ARG(text), field);
}

/* Absent: 0, the request never ends. EC2 compares the time with the present only after DryRun. */
RESULT ec2_take_spot_end(struct ec2_call *e, struct str text, const char *field, int64_t *ret_time_us)
{
	TRY(ec2_take_spot_time(e, text, field, ret_time_us));
	if (*ret_time_us == 0 || *ret_time_us > clock_now_us() || e->is_dry)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "Value (%" STR_FMT ") for parameter validUntil is invalid. It is in the past.",
			      STR_ARG(text));
}

static bool has_digits_only(struct str text)
{
	size_t n = 0;
	while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	return n == text.n;
}

struct str ec2_write_spot_price(struct arena *a, int64_t millionths)
{
	char text[MONEY_TEXT_SIZE];
	return str_copy(a, str_from(money_write_fixed(money_of(millionths, MICRO), DECIMALS, text)));
}

RESULT ec2_take_spot_price(struct ec2_call *e, struct str text, const char *field, struct str *ret_price)
{
	size_t dot = str_find_char(text, '.', 0),
	       end = dot + 1 + DECIMALS < text.n ? dot + 1 + DECIMALS : text.n;
	int64_t millionths = 0;
	*ret_price = STR_NONE;
	if (str_is_empty(text))
		return OK;
	struct str kept = str_print(e->c->arena, "%s%.*s", dot ? "" : "0", (int) end, text.p);
	if (!kept.p)
		return ctx_no_memory(e->c);
	bool is_price = dot <= UNITS_MAX && has_digits_only(str_slice(text, end, text.n)) &&
			result_is_ok(money_parse_micro(kept, &millionths)) && millionths > 0;
	if (!is_price)
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
				      "Value (%" STR_FMT ") for parameter %s is invalid. \"%" STR_FMT
				      "\" is an invalid spot instance price",
				      STR_ARG(text), field, STR_ARG(text));
	*ret_price = ec2_write_spot_price(e->c->arena, millionths);
	return ret_price->p ? OK : ctx_no_memory(e->c);
}

static struct str name_field(struct ec2_call *e, const char *prefix, const char *name)
{
	return str_print(e->c->arena, "%s%s", prefix, name);
}

static RESULT check_kinds(struct ec2_call *e, const struct ec2_spot_options *o, const char *prefix)
{
	bool is_persistent = str_is(o->type, "persistent");
	if (str_is(o->behavior, "hibernate"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED,
				      name_field(e, prefix, "InstanceInterruptionBehavior"),
				      "The interruption behavior hibernate is not supported");
	if (str_is(o->behavior, "stop") && !is_persistent)
		return ctx_fail_field(e->c, ERR_COMBINATION,
				      name_field(e, prefix, "InstanceInterruptionBehavior"),
				      "The interruption behavior stop needs a persistent Spot request");
	return OK;
}

RESULT ec2_take_spot(struct ec2_call *e, const struct ec2_spot_options *o, const char *prefix,
		     struct spot_wish *ret_wish)
{
	struct str price_field = *prefix ? name_field(e, prefix, "MaxPrice") : STR("SpotPrice"),
		   until = name_field(e, prefix, "ValidUntil");
	*ret_wish = (struct spot_wish){.is_spot = true,
				       .is_persistent = str_is(o->type, "persistent"),
				       .stops = str_is(o->behavior, "stop")};
	if (arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	TRY(check_kinds(e, o, prefix));
	if (o->until.n && !ret_wish->is_persistent)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, until,
			"The parameter validUntil is supported for persistent Spot requests only");
	TRY(ec2_take_spot_price(e, o->max_price, str_to_z(e->c->arena, price_field), &ret_wish->max_price));
	return ec2_take_spot_end(e, o->until, str_to_z(e->c->arena, until), &ret_wish->valid_until_us);
}

static bool is_kept(struct str name)
{
	static const char *const left_out[] = {"Action",   "Version",     "DryRun",
					       "MinCount", "ClientToken", "MaxCount"};
	for (size_t k = 0; k < sizeof left_out / sizeof *left_out; k++)
		if (str_is(name, left_out[k]))
			return false;
	return !str_starts_with(name, STR("InstanceMarketOptions."));
}

RESULT ec2_keep_spot_form(struct ec2_call *e, const struct pairs *said, const char *prefix,
			  struct str *ret_form)
{
	const struct pair counts[] = {{STR("MinCount"), STR("1")}, {STR("MaxCount"), STR("1")}};
	struct pair *pairs = arena_new_array(e->c->arena, struct pair, said->count + 2);
	struct pairs none = {0}, kept = {pairs, 0};
	if (!pairs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < said->count; k++) {
		struct pair pair = said->at[k];
		if (!str_starts_with(pair.name, str_from(prefix)))
			continue;
		pair.name = str_slice(pair.name, strlen(prefix), pair.name.n);
		if (is_kept(pair.name))
			pairs[kept.count++] = pair;
	}
	for (size_t k = 0; k < 2; k++)
		pairs[kept.count++] = counts[k];
	return ec2_merge_launch_data(e, &kept, &none, ret_form);
}

/* ---- what a form says ---- */

/* Disks as in launch templates, and what EC2 has here alone. */
#define D(wire, member, ...) PARAM(struct ec2_launch_words, wire, member, __VA_ARGS__)
static const struct param disk_rows[] = {
	D("DeviceName", text[0], .max = 32,
	  .doc = "Device name of a disk of the image, or of an additional disk."),
	D("VirtualName", text[1], .max = 32, .doc = "Instance store volume, ephemeralN."),
	D("NoDevice", text[2], .max = 32, .doc = "Removes the image's disk of that device name."),
	D("Ebs.SnapshotId", text[3], .max = 255, .doc = "Snapshot that the disk is created from."),
	D("Ebs.VolumeSize", number[0], .min = 1, .max = EC2_GIB_MAX, .doc = "Size in GiB."),
	D("Ebs.VolumeType", text[4], .words = EC2_VOLUME_TYPES,
	  .doc = "Volume type: limits IOPS and throughput."),
	D("Ebs.Iops", number[1], .min = 1, .max = EC2_IOPS_MAX, .doc = "IOPS limit of the disk."),
	D("Ebs.Throughput", number[2], .min = 1, .max = EC2_IOPS_MAX,
	  .doc = "Throughput limit of the disk in MiB/s."),
	D("Ebs.DeleteOnTermination", flag[0], .doc = "Whether the volume is deleted with the instance."),
	D("Ebs.Encrypted", flag[1], .doc = "Whether the disk is encrypted at rest."),
	D("Ebs.KmsKeyId", text[5], .max = 2048, .doc = "The account's key for volumes; no other key exists."),
	NOT_BUILT("Ebs.OutpostArn"),
};
#undef D
const struct params ec2_spot_disk_params = PARAMS(struct ec2_launch_words, disk_rows);

/* Rows for a launch in a struct T with a struct ec2_launch_words `m`, below a prefix or none. */
#define W(T, m, prefix, wire, place, ...) PARAM(T, prefix wire, m.place, __VA_ARGS__)
#define SPEC_ROWS(T, m, prefix)                                                                              \
	W(T, m, prefix, "ImageId", text[0], .max = 255, .doc = "Image to boot from."),                       \
		W(T, m, prefix, "InstanceType", text[1], .max = 255, .doc = "Instance type."),               \
		W(T, m, prefix, "KeyName", text[2], .max = 255, .doc = "Key pair by name."),                 \
		W(T, m, prefix, "SubnetId", text[3], .max = 255,                                             \
		  .doc = "Subnet; absent: a default subnet."),                                               \
		W(T, m, prefix, "Placement.AvailabilityZone", text[4], .max = 255,                           \
		  .doc = "Availability Zone by name."),                                                      \
		W(T, m, prefix, "Placement.GroupName", text[5], .max = 255,                                  \
		  .doc = "Placement group by name."),                                                        \
		W(T, m, prefix, "Placement.Tenancy", text[6], .words = "default|dedicated",                  \
		  .doc = "Tenancy of the instance."),                                                        \
		W(T, m, prefix, "IamInstanceProfile.Arn", text[7], .max = 2048,                              \
		  .doc = "Instance profile by ARN; the guest gets credentials of its role."),                \
		W(T, m, prefix, "IamInstanceProfile.Name", text[8], .max = 128,                              \
		  .doc = "Instance profile by name, instead of its ARN."),                                   \
		W(T, m, prefix, "SecurityGroupId", texts[0], .max = 255, .doc = "Security groups by id."),   \
		W(T, m, prefix, "SecurityGroup", texts[1], .max = 255, .doc = "Security groups by name."),   \
		W(T, m, prefix, "Monitoring.Enabled", flag[0], .doc = "Stored and shown; has no effect."),   \
		W(T, m, prefix, "EbsOptimized", flag[1], .doc = "Stored and shown; has no effect."),         \
		W(T, m, prefix, "UserData", text[9], .flags = BASE64, .max = EC2_USER_DATA_MAX,              \
		  .doc = "User data, base64, up to 16 KiB."),                                                \
		PARAM_LIST(T, prefix "BlockDeviceMapping", m.parts[0], ec2_spot_disk_params, .max = 40,      \
			   .doc = "Block device mapping: disks to add, change or leave out."),               \
		PARAM_LIST(T, prefix "NetworkInterface", m.parts[1], ec2_launch_interface_params, .max = 16, \
			   .doc = "Network interfaces.")

struct kept_form {
	struct ec2_launch_words spec;
};
static const struct param form_rows[] = {SPEC_ROWS(struct kept_form, spec, "")};
static const struct params form_params = PARAMS(struct kept_form, form_rows, .is_open = true);

/* ---- request ---- */

struct ec2_request_spot {
	struct spot_requesting wish;
	struct ec2_launch_words spec;
	struct ec2_spot_options options;
	struct str from;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_request_spot, wire, member, __VA_ARGS__)
static const struct param request_params[] = {
	SPEC_ROWS(struct ec2_request_spot, spec, SPEC),
	P("InstanceCount", wish.count, .min = 1, .max = SPOT_COUNT_MAX, .absent = "1",
	  .doc = "Number of requests to make, of one instance each."),
	P("SpotPrice", options.max_price, .max = 32,
	  .doc = "Maximum price per hour; absent: the on-demand price."),
	P("Type", options.type, .words = "one-time|persistent",
	  .doc = "persistent: the request launches a replacement after its instance ended; absent: "
		 "one-time."),
	P("InstanceInterruptionBehavior", options.behavior, .words = EC2_SPOT_BEHAVIORS,
	  .doc = "Behaviour when the instance is interrupted; absent: terminate."),
	P("ValidFrom", from, .max = 64, .doc = "Earliest time of a launch."),
	P("ValidUntil", options.until, .max = 64, .doc = "Time after which nothing is launched."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_request_spot, tag_specs),
	NOT_BUILT("LaunchGroup|AvailabilityZoneGroup|BlockDurationMinutes"),
	NOT_BUILT(SPEC "KernelId|" SPEC "RamdiskId|" SPEC "AddressingType"),
};
#undef P

RESULT ec2_read_spot_form(struct ec2_call *e, struct str form, struct instance_launch *ret_launch)
{
	struct pairs pairs;
	TRY(ec2_read_launch_data(e, form, &pairs));
	return ec2_read_launch(e, &pairs, ret_launch);
}

static RESULT prepare_request(struct ec2_call *e, void *args)
{
	struct ec2_request_spot *a = args;
	struct ec2_spot_options options = a->options;
	struct spot_wish terms;
	options.until = STR_NONE; /* EC2 takes it for one-time requests here, too */
	TRY(ec2_take_spot(e, &options, "", &terms));
	TRY(ec2_take_spot_end(e, a->options.until, "ValidUntil", &terms.valid_until_us));
	TRY(ec2_take_spot_time(e, a->from, "ValidFrom", &terms.valid_from_us));
	if (terms.valid_until_us && terms.valid_from_us >= terms.valid_until_us)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("ValidFrom"),
				      "The request must be valid from an earlier time than until");
	TRY(ec2_take_tags(e, &a->tag_specs, "spot-instances-request", "spot-instances-request", &terms.tags));
	TRY(ec2_keep_spot_form(e, &e->pairs, SPEC, &terms.form));
	TRY(ec2_read_spot_form(e, terms.form, &a->wish.launch));
	a->wish.launch.spot = terms;
	a->wish.guard = guards_later(e->config->guards);
	return OK;
}

/* ---- shown ---- */

static const char *const messages[] = {
	[SPOT_REQUEST_STATUS_PENDING_EVALUATION] =
		"Your Spot request has been submitted for review, and is pending evaluation.",
	[SPOT_REQUEST_STATUS_NOT_SCHEDULED_YET] =
		"Your Spot request will not be evaluated until the scheduled date.",
	[SPOT_REQUEST_STATUS_CAPACITY_NOT_AVAILABLE] =
		"There is no Spot capacity available that matches your request.",
	[SPOT_REQUEST_STATUS_CONSTRAINT_NOT_FULFILLABLE] =
		"Your Spot request cannot be fulfilled due to constraints.",
	[SPOT_REQUEST_STATUS_FULFILLED] = "Your Spot request is fulfilled.",
	[SPOT_REQUEST_STATUS_BAD_PARAMETERS] = "The parameters of your Spot request are not valid.",
	[SPOT_REQUEST_STATUS_SCHEDULE_EXPIRED] =
		"Your Spot request has expired because it was not fulfilled before the specified date.",
	[SPOT_REQUEST_STATUS_CANCELED_BEFORE_FULFILLMENT] =
		"You canceled your Spot request before it was fulfilled.",
	[SPOT_REQUEST_STATUS_REQUEST_CANCELED_AND_INSTANCE_RUNNING] =
		"Your Spot request is canceled, but your instance is still running.",
	[SPOT_REQUEST_STATUS_MARKED_FOR_TERMINATION] = "Your Spot Instance is marked for termination.",
	[SPOT_REQUEST_STATUS_MARKED_FOR_STOP] = "Your Spot Instance is marked for stopping.",
	[SPOT_REQUEST_STATUS_INSTANCE_TERMINATED_BY_USER] = "You terminated your Spot Instance.",
	[SPOT_REQUEST_STATUS_INSTANCE_TERMINATED_NO_CAPACITY] =
		"Your Spot Instance was terminated because there is no Spot capacity available that matches "
		"your request.",
	[SPOT_REQUEST_STATUS_INSTANCE_STOPPED_BY_USER] = "You stopped your Spot Instance.",
	[SPOT_REQUEST_STATUS_INSTANCE_STOPPED_NO_CAPACITY] =
		"Your Spot Instance was stopped because there is no Spot capacity available that matches "
		"your request.",
};

/* A request with what its launch says: its instance's values where there is one, else those of the form. Ids are texts. */
struct spot_item {
	const struct spot_request *request;
	const struct instance *instance; /* NULL: none was launched yet, or it is forgotten */
	const struct zone *zone;         /* the instance's; NULL likewise */
	const struct ec2_launch_words *spec;
	struct str image, type, key, subnet, zone_name;
	struct arena *own, *scratch;               /* between begin_item() and end_item() */
	VEC(const struct security_group *) groups; /* the instance's primary interface has them */
};

/* Splits a form around its user data, which are not shown: a list's answer would not fit into a request's memory. */
static void cut_user_data(struct str form, struct str *ret_before, struct str *ret_after)
{
	struct str rest = form, pair;
	*ret_before = form;
	*ret_after = STR_NONE;
	while (str_split_next(&rest, '&', &pair)) {
		if (!str_starts_with(pair, STR("UserData=")))
			continue;
		*ret_before = str_slice(form, 0, (size_t) (pair.p - form.p));
		*ret_after = rest;
		return;
	}
}

enum { ITEM_SIZE = 16 * 1024 };

/* The row keeps the request's launch as the text of its parameters. Answers show it in EC2's own words, so it is parsed by the
 * table that read the request. */
static RESULT read_form_again(struct ec2_call *e, struct str form, struct kept_form *ret_form)
{
	struct str before, after;
	struct pairs pairs;
	cut_user_data(form, &before, &after);
	TRY(request_parse(e->c, before, after, &pairs));
	return request_read(e->c, &request_ec2_dialect, &form_params, 0, &pairs, ret_form);
}

static bool gather_groups(struct ec2_call *e, const struct tables *t, struct spot_item *item)
{
	const struct port *port = item->instance ? port_first_by_instance(t, item->instance->row.id) : NULL;
	for (size_t k = 0; port && k < port->groups.count; k++) {
		const struct security_group *group = security_group_find(t, port->groups.at[k]);
		if (group && !VEC_PUSH(e->c->arena, &item->groups, group))
			return false;
	}
	return true;
}

static struct str or_else(struct str text, struct str otherwise)
{
	return text.n ? text : otherwise;
}

static struct str write_id_of(struct arena *a, enum kind kind, uuid id)
{
	return uuid_is_none(id) ? STR_NONE : id_to_ec2(a, kind, id);
}

static struct spot_item *make_item(struct ec2_call *e, const struct tables *t, const struct row *row)
{
	struct spot_item *item = arena_new_object(e->c->arena, struct spot_item);
	const struct spot_request *r = spot_request_of(row);
	if (!item)
		return NULL;
	const struct instance *i = uuid_is_none(r->instance) ? NULL : instance_find(t, r->instance);
	const struct instance_type *type = i ? instance_type_find(t, i->type) : NULL;
	*item = (struct spot_item){.request = r,
				   .instance = i,
				   .zone = zone_find(t, r->zone),
				   .image = i ? write_id_of(e->c->arena, KIND_IMAGE, i->image) : STR_NONE,
				   .type = type ? type->name : STR_NONE,
				   .key = i ? i->key_name : STR_NONE,
				   .subnet = i ? write_id_of(e->c->arena, KIND_SUBNET, i->subnet) : STR_NONE};
	item->zone_name = item->zone ? item->zone->name : STR_NONE;
	return gather_groups(e, t, item) ? item : NULL;
}

static const void *gather_request(struct ec2_call *e, const struct row *row)
{
	return make_item(e, ec2_tables(e), row);
}

/* Reads the form into a scratch arena, which becomes the call's until end_item(): all forms of a page are larger than
 * the memory of a call. */
static void begin_item(struct ec2_call *e, struct spot_item *item)
{
	static const struct kept_form none;
	item->own = e->c->arena;
	item->scratch = arena_new(ITEM_SIZE, ARENA_REQUEST_CAP);
	if (item->scratch)
		e->c->arena = item->scratch;
	struct kept_form *form = arena_new_object(e->c->arena, struct kept_form);
	if (form)
		*form = none;
	bool is_read = form && result_is_ok(read_form_again(e, item->request->form, form));
	if (!is_read)
		ctx_clear_problem(e->c);
	item->spec = is_read ? &form->spec : &none.spec;
	const struct str *said = item->spec->text;
	item->image = or_else(item->image, said[0]);
	item->type = or_else(item->type, said[1].n ? said[1] : STR("m1.small"));
	item->key = or_else(item->key, said[2]);
	item->subnet = or_else(item->subnet, said[3]);
	item->zone_name = or_else(item->zone_name, said[4]);
}

static void end_item(struct ec2_call *e, struct spot_item *item)
{
	e->c->arena = item->own;
	arena_free(item->scratch);
}

static void write_spec_groups(struct ec2_call *e, struct xml *x, const struct spot_item *i)
{
	(void) e;
	xml_open(x, "groupSet");
	for (size_t k = 0; k < i->groups.count; k++) {
		xml_open(x, "item");
		ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, i->groups.at[k]->row.id);
		xml_text(x, "groupName", i->groups.at[k]->name);
		xml_close(x, "item");
	}
	for (size_t k = 0; !i->groups.count && k < i->spec->texts[0].count; k++) {
		xml_open(x, "item");
		xml_text(x, "groupId", i->spec->texts[0].at[k]);
		xml_close(x, "item");
	}
	xml_close(x, "groupSet");
}

void ec2_write_spot_disks(struct xml *x, const struct ec2_launch_parts *disks)
{
	xml_open(x, "blockDeviceMapping");
	for (size_t k = 0; k < disks->count; k++) {
		const struct ec2_launch_words *d = &disks->at[k];
		xml_open(x, "item");
		xml_text_opt(x, "deviceName", d->text[0]);
		xml_text_opt(x, "virtualName", d->text[1]);
		xml_text_opt(x, "noDevice", d->text[2]);
		xml_open(x, "ebs");
		xml_text_opt(x, "snapshotId", d->text[3]);
		if (d->number[0])
			xml_int(x, "volumeSize", d->number[0]);
		xml_text_opt(x, "volumeType", d->text[4]);
		if (d->number[1])
			xml_int(x, "iops", d->number[1]);
		if (d->number[2])
			xml_int(x, "throughput", d->number[2]);
		xml_bool(x, "deleteOnTermination", d->flag[0]);
		if (d->flag[1])
			xml_bool(x, "encrypted", true);
		xml_text_opt(x, "kmsKeyId", d->text[5]);
		xml_close(x, "ebs");
		xml_close(x, "item");
	}
	xml_close(x, "blockDeviceMapping");
}

/* Writes the items' first text, and whether an address is the primary one. */
static void write_spec_list(struct xml *x, const struct ec2_launch_parts *list, const char *set,
			    const char *member)
{
	if (!list->count)
		return;
	xml_open(x, set);
	for (size_t k = 0; k < list->count; k++) {
		xml_open(x, "item");
		xml_text(x, member, list->at[k].text[0]);
		if (strcmp(member, "privateIpAddress") == 0)
			xml_bool(x, "primary", list->at[k].flag[0]);
		xml_close(x, "item");
	}
	xml_close(x, set);
}

/* Counts and lists of an interface's addresses. Names as in botocore's model of InstanceNetworkInterfaceSpecification:
 * prefixes have no names of their own for answers, so theirs are the request's. */
static void write_spec_addresses(struct xml *x, const struct ec2_launch_words *w)
{
	static const char *const counts[] = {NULL, "secondaryPrivateIpAddressCount", "ipv6AddressCount",
					     "Ipv4PrefixCount", "Ipv6PrefixCount"};
	for (size_t k = 1; k < sizeof counts / sizeof counts[0]; k++)
		if (w->number[k])
			xml_int(x, counts[k], w->number[k]);
	write_spec_list(x, &w->parts[0], "privateIpAddressesSet", "privateIpAddress");
	write_spec_list(x, &w->parts[1], "ipv6AddressesSet", "ipv6Address");
	write_spec_list(x, &w->parts[2], "Ipv4Prefix", "Ipv4Prefix");
	write_spec_list(x, &w->parts[3], "Ipv6Prefix", "Ipv6Prefix");
}

void ec2_write_spot_interfaces(struct xml *x, const struct ec2_launch_parts *interfaces)
{
	xml_open(x, "networkInterfaceSet");
	for (size_t k = 0; k < interfaces->count; k++) {
		const struct ec2_launch_words *w = &interfaces->at[k];
		xml_open(x, "item");
		xml_int(x, "deviceIndex", w->number[0]);
		xml_text_opt(x, "networkInterfaceId", w->text[0]);
		xml_text_opt(x, "subnetId", w->text[1]);
		xml_text_opt(x, "description", w->text[2]);
		xml_text_opt(x, "privateIpAddress", w->text[3]);
		xml_open(x, "SecurityGroupId");
		for (size_t n = 0; n < w->texts[0].count; n++)
			xml_text(x, "SecurityGroupId", w->texts[0].at[n]);
		xml_close(x, "SecurityGroupId");
		write_spec_addresses(x, w);
		if (w->flag[1])
			xml_bool(x, "deleteOnTermination", true);
		if (w->flag[0])
			xml_bool(x, "associatePublicIpAddress", true);
		xml_close(x, "item");
	}
	xml_close(x, "networkInterfaceSet");
}

static void write_spec(struct ec2_call *e, struct xml *x, const struct spot_item *i)
{
	const struct str *said = i->spec->text;
	xml_open(x, "launchSpecification");
	xml_text_opt(x, "imageId", i->image);
	xml_text_opt(x, "keyName", i->key);
	write_spec_groups(e, x, i);
	xml_text(x, "instanceType", i->type);
	xml_open(x, "placement");
	xml_text_opt(x, "availabilityZone", i->zone_name);
	xml_text_opt(x, "groupName", said[5]);
	xml_text_opt(x, "tenancy", said[6]);
	xml_close(x, "placement");
	ec2_write_spot_disks(x, &i->spec->parts[0]);
	xml_open(x, "monitoring");
	xml_bool(x, "enabled", i->instance ? i->instance->monitoring : i->spec->flag[0]);
	xml_close(x, "monitoring");
	xml_text_opt(x, "subnetId", i->subnet);
	ec2_write_spot_interfaces(x, &i->spec->parts[1]);
	xml_bool(x, "ebsOptimized", i->instance ? i->instance->ebs_optimized : i->spec->flag[1]);
	if (said[7].n || said[8].n) {
		xml_open(x, "iamInstanceProfile");
		xml_text_opt(x, "arn", said[7]);
		xml_text_opt(x, "name", said[8]);
		xml_close(x, "iamInstanceProfile");
	}
	xml_close(x, "launchSpecification");
}

static const char *name_product(const struct instance *i)
{
	return i && i->platform == INSTANCE_PLATFORM_WINDOWS ? "Windows" : "Linux/UNIX";
}

static void write_fault(struct xml *x, const struct spot_request *r)
{
	if (!r->problem.n)
		return;
	xml_open(x, "fault");
	xml_z(x, "code", spot_request_status_words[r->status]);
	xml_text(x, "message", r->problem);
	xml_close(x, "fault");
}

/* EC2 answers a new request before it evaluates it. */
static void write_state(struct ec2_call *e, struct xml *x, const struct spot_request *r)
{
	bool is_new = ec2_is_change(e) && r->status != SPOT_REQUEST_STATUS_NOT_SCHEDULED_YET;
	enum spot_request_status status = is_new ? SPOT_REQUEST_STATUS_PENDING_EVALUATION : r->status;
	xml_z(x, "state", is_new ? "open" : spot_request_stage_words[r->stage]);
	xml_open(x, "status");
	xml_z(x, "code", spot_request_status_words[status]);
	xml_time_ms(x, "updateTime", r->status_us);
	xml_z(x, "message", messages[status]);
	xml_close(x, "status");
}

static void write_request(struct ec2_call *e, struct xml *x, const void *data)
{
	struct spot_item item = *(const struct spot_item *) data, *i = &item;
	const struct spot_request *r = item.request;
	begin_item(e, &item);
	ec2_write_id(x, "spotInstanceRequestId", KIND_SPOT_REQUEST, r->row.id);
	xml_text_opt(x, "spotPrice", r->max_price);
	xml_z(x, "type", r->is_persistent ? "persistent" : "one-time");
	write_state(e, x, r);
	write_fault(x, r);
	if (r->valid_from_us)
		xml_time_ms(x, "validFrom", r->valid_from_us);
	if (r->valid_until_us)
		xml_time_ms(x, "validUntil", r->valid_until_us);
	write_spec(e, x, i);
	if (i->instance && !ec2_is_change(e)) {
		ec2_write_id(x, "instanceId", KIND_INSTANCE, r->instance);
		if (i->zone)
			xml_text(x, "launchedAvailabilityZone", i->zone->name);
	}
	xml_time_ms(x, "createTime", r->row.created_us);
	xml_z(x, "productDescription", name_product(i->instance));
	ec2_write_tags(x, r->tags);
	xml_z(x, "instanceInterruptionBehavior", r->stops ? "stop" : "terminate");
	end_item(e, &item);
}

/* ---- filters ---- */

static bool fits_time(const struct filter_run *f, const struct row *row)
{
	const struct spot_request *r = spot_request_of(row);
	int64_t time_us = str_is(str_from(f->filter->name), "create-time")  ? row->created_us
			  : str_is(str_from(f->filter->name), "valid-from") ? r->valid_from_us
									    : r->valid_until_us;
	return time_us && filter_time(f, time_us);
}

static bool fits_word(const struct filter_run *f, const struct row *row)
{
	const struct spot_request *r = spot_request_of(row);
	struct str name = str_from(f->filter->name);
	if (str_is(name, "state"))
		return filter_z(f, spot_request_stage_words[r->stage]);
	if (str_is(name, "type"))
		return filter_z(f, r->is_persistent ? "persistent" : "one-time");
	if (str_is(name, "status-message"))
		return filter_z(f, messages[r->status]);
	if (str_is(name, "fault-message"))
		return r->problem.n && filter_text(f, r->problem);
	if (str_is(name, "fault-code"))
		return r->problem.n && filter_z(f, spot_request_status_words[r->status]);
	return filter_z(f, name_product(instance_find(f->t, r->instance)));
}

static bool launch_fits(const struct filter_run *f, const struct spot_item *i)
{
	struct str name = str_from(f->filter->name);
	if (str_is(name, "launch.monitoring-enabled"))
		return filter_bool(f, i->instance ? i->instance->monitoring : i->spec->flag[0]);
	struct str value = str_is(name, "launch.image-id")        ? i->image
			   : str_is(name, "launch.instance-type") ? i->type
			   : str_is(name, "launch.key-name")      ? i->key
			   : i->zone && i->instance               ? i->zone->name
								  : STR_NONE;
	if (str_is(name, "launched-availability-zone-id"))
		value = i->zone && i->instance ? i->zone->short_id : STR_NONE;
	return value.n && filter_text(f, value);
}

static bool group_fits(const struct filter_run *f, const struct spot_item *i)
{
	bool is_name = str_ends_with(str_from(f->filter->name), STR("group-name"));
	for (size_t k = 0; k < i->groups.count; k++)
		if (is_name ? filter_text(f, i->groups.at[k]->name)
			    : filter_id(f, KIND_SECURITY_GROUP, i->groups.at[k]->row.id))
			return true;
	for (size_t k = 0; !i->groups.count && !is_name && k < i->spec->texts[0].count; k++)
		if (filter_text(f, i->spec->texts[0].at[k]))
			return true;
	return false;
}

static bool disk_fits(const struct filter_run *f, const struct spot_item *i)
{
	struct str name =
		str_slice(str_from(f->filter->name), strlen("launch.block-device-mapping."), SIZE_MAX);
	for (size_t k = 0; k < i->spec->parts[0].count; k++) {
		const struct ec2_launch_words *d = &i->spec->parts[0].at[k];
		if (str_is(name, "volume-size")             ? d->number[0] && filter_int(f, d->number[0])
		    : str_is(name, "delete-on-termination") ? filter_bool(f, d->flag[0])
		    : str_is(name, "device-name")           ? filter_text(f, d->text[0])
		    : str_is(name, "snapshot-id")           ? d->text[3].n && filter_text(f, d->text[3])
							    : d->text[4].n && filter_text(f, d->text[4]))
			return true;
	}
	return false;
}

static bool interface_fits(const struct filter_run *f, const struct spot_item *i)
{
	struct str name = str_slice(str_from(f->filter->name), strlen("network-interface."), SIZE_MAX);
	for (size_t k = 0; k < i->spec->parts[1].count; k++) {
		const struct ec2_launch_words *w = &i->spec->parts[1].at[k];
		for (size_t n = 0; str_is(name, "group-id") && n < w->texts[0].count; n++)
			if (filter_text(f, w->texts[0].at[n]))
				return true;
		if (str_is(name, "device-index")            ? filter_int(f, w->number[0])
		    : str_is(name, "delete-on-termination") ? filter_bool(f, w->flag[1])
		    : str_is(name, "network-interface-id")  ? filter_text(f, w->text[0])
		    : str_is(name, "subnet-id")             ? filter_text(f, w->text[1])
		    : str_is(name, "description")           ? filter_text(f, w->text[2])
		    : str_is(name, "private-ip-address")    ? filter_text(f, w->text[3])
		    : str_is(name, "addresses.primary")     ? filter_bool(f, true)
							    : false)
			return true;
	}
	return false;
}

static bool fits_item(const struct filter_run *f, const struct row *row,
		      bool (*fits)(const struct filter_run *f, const struct spot_item *i))
{
	struct spot_item *item = make_item(f->e, f->t, row);
	if (!item)
		return false;
	begin_item(f->e, item);
	bool is_fitting = fits(f, item);
	end_item(f->e, item);
	return is_fitting;
}

#define FITS_ITEM(name)                                                                                      \
	static bool fits_##name(const struct filter_run *f, const struct row *row)                           \
	{                                                                                                    \
		return fits_item(f, row, name##_fits);                                                       \
	}
FITS_ITEM(launch)
FITS_ITEM(group)
FITS_ITEM(disk)
FITS_ITEM(interface)

static const struct filter request_filters[] = {
	{"spot-instance-request-id", .is_id = true},
	{"availability-zone-group", .get = filter_nothing},
	{"create-time", .get = fits_time},
	{"fault-code", .get = fits_word},
	{"fault-message", .get = fits_word},
	{"instance-id", .field = "instance", .index = SPOT_REQUEST_INDEX_INSTANCE},
	{"launch-group", .get = filter_nothing},
	{"launch.block-device-mapping.delete-on-termination", .get = fits_disk},
	{"launch.block-device-mapping.device-name", .get = fits_disk},
	{"launch.block-device-mapping.snapshot-id", .get = fits_disk},
	{"launch.block-device-mapping.volume-size", .get = fits_disk},
	{"launch.block-device-mapping.volume-type", .get = fits_disk},
	{"launch.group-id", .get = fits_group},
	{"launch.group-name", .get = fits_group},
	{"launch.image-id", .get = fits_launch},
	{"launch.instance-type", .get = fits_launch},
	{"launch.kernel-id", .get = filter_nothing},
	{"launch.key-name", .get = fits_launch},
	{"launch.monitoring-enabled", .get = fits_launch},
	{"launch.ramdisk-id", .get = filter_nothing},
	{"launched-availability-zone", .get = fits_launch},
	{"launched-availability-zone-id", .get = fits_launch},
	{"network-interface.addresses.primary", .get = fits_interface},
	{"network-interface.delete-on-termination", .get = fits_interface},
	{"network-interface.description", .get = fits_interface},
	{"network-interface.device-index", .get = fits_interface},
	{"network-interface.group-id", .get = fits_interface},
	{"network-interface.network-interface-id", .get = fits_interface},
	{"network-interface.private-ip-address", .get = fits_interface},
	{"network-interface.subnet-id", .get = fits_interface},
	{"product-description", .get = fits_word},
	{"spot-price", .field = "max_price"},
	{"state", .get = fits_word},
	{"status-code", .field = "status"},
	{"status-message", .get = fits_word},
	{"type", .get = fits_word},
	{"valid-from", .get = fits_time},
	{"valid-until", .get = fits_time},
};

static const struct ec2_listing request_listing = {.kind = KIND_SPOT_REQUEST,
						   .set = "spotInstanceRequestSet",
						   .filters = FILTERS(request_filters),
						   .gather = gather_request,
						   .write = write_request,
						   .shows_ended = true};

/* ---- answers ---- */

struct ec2_describe_spot_requests {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_spot_requests, "SpotInstanceRequestId", KIND_SPOT_REQUEST,
		  "Spot requests by id."),
	QUERY_FILTERS(struct ec2_describe_spot_requests),
	QUERY_PAGES(struct ec2_describe_spot_requests, 5, 1000),
};

static RESULT find_rows(struct ec2_call *e, struct uuids ids, const struct row ***ret_rows)
{
	const struct row **rows = arena_new_array(e->c->arena, const struct row *, ids.count + 1);
	if (!rows)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < ids.count; k++)
		TRY(ec2_find_returned(e, ids.at[k], &rows[k]));
	*ret_rows = rows;
	return OK;
}

static RESULT ec2_request_spot(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_request_spot *a = args;
	const struct row **rows = NULL;
	const void **items = NULL;
	TRY(find_rows(e, a->wish.made, &rows));
	TRY(ec2_gather(e, &request_listing, rows, a->wish.made.count, &items));
	ec2_write_items(e, &request_listing, items, a->wish.made.count, x);
	return OK;
}

static const struct param cancel_params[] = {
	PARAM(struct spot_cancelling, "SpotInstanceRequestId", requests, .flags = REQUIRED,
	      .kind = KIND_SPOT_REQUEST, .doc = "Spot requests. Fails if one of them cannot be cancelled."),
};

static RESULT ec2_cancel_spot(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct spot_cancelling *a = args;
	(void) e;
	xml_open(x, "spotInstanceRequestSet");
	for (size_t k = 0; k < a->ids.count; k++) {
		xml_open(x, "item");
		ec2_write_id(x, "spotInstanceRequestId", KIND_SPOT_REQUEST, a->ids.at[k]);
		xml_z(x, "state", spot_request_stage_words[a->stages[k]]);
		xml_close(x, "item");
	}
	xml_close(x, "spotInstanceRequestSet");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("RequestSpotInstances"), .flags = API_WRITES, .returns = KIND_SPOT_REQUEST,
	 .args = PARAMS(struct ec2_request_spot, request_params), .prepare = prepare_request,
	 EC2_DIGEST(struct ec2_request_spot), .operation = engine_request_spot_run,
	 .answer = ec2_request_spot,
	 .doc = "Requests spot instances, which are launched as soon as there is capacity."},
	{EC2_ACTION("DescribeSpotInstanceRequests"),
	 .args = PARAMS(struct ec2_describe_spot_requests, describe_params), .list = &request_listing,
	 .doc = "Lists spot requests. Ended ones stay listed for an hour."},
	{EC2_ACTION("CancelSpotInstanceRequests"), .flags = API_WRITES, .returns = KIND_SPOT_REQUEST,
	 .args = PARAMS(struct spot_cancelling, cancel_params), .operation = engine_cancel_spot_run,
	 .answer = ec2_cancel_spot, .doc = "Cancels spot requests. Their running instances continue."},
};
const struct api_actions ec2_spot_request_actions = API_ACTIONS(actions);
