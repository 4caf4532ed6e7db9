/* SPDX-License-Identifier: Apache-2.0
 * The metadata tree: one row per leaf, in listing order. "{mac}" and the like stand for a path part that
 * names one of several items; directories follow from the leaves below them. Every listed name must have an
 * answer, because cloud-init crawls the tree. Source: EC2 User Guide, "Instance metadata categories".
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "api/metadata/imds.h"
#include "base/clock.h"
#include "engine/network/routing/router.h"
#include "model/account.h"
#include "model/address.h"
#include "model/iam_role.h"
#include "model/id.h"
#include "model/image.h"
#include "model/instance.h"
#include "model/instance_event.h"
#include "model/instance_type.h"
#include "model/licence.h"
#include "model/port.h"
#include "model/spot_request.h"
#include "model/subnet.h"
#include "model/volume.h"
#include "model/zone.h"

struct leaf {
	const char *path;
	void (*write)(const struct imds_facts *s, struct buf *b);
	bool (*is_there)(const struct imds_facts *s); /* NULL: always */
	bool is_binary;
};

/* ---- variable parts ---- */

static size_t count_keys(const struct imds_facts *s)
{
	return str_is_empty(s->instance->public_key) ? 0 : 1;
}
static struct str show_key(const struct imds_facts *s, size_t k)
{
	return str_print(s->arena, "%zu=%" STR_FMT, k, STR_ARG(s->instance->key_name));
}
static struct str name_key(const struct imds_facts *s, size_t k)
{
	return str_print(s->arena, "%zu", k);
}

static size_t count_macs(const struct imds_facts *s)
{
	return s->nic_count;
}
static struct str name_mac(const struct imds_facts *s, size_t k)
{
	char text[MAC_TEXT_SIZE];
	return str_copy(s->arena, str_from(mac_write(s->nics[k].port->mac, text)));
}

static const struct imds_nic *nic_of(const struct imds_facts *s)
{
	return &s->nics[s->at[IMDS_MAC]];
}
static size_t count_publics(const struct imds_facts *s)
{
	return nic_of(s)->address_count;
}
static struct str name_public(const struct imds_facts *s, size_t k)
{
	return ip_to_str(s->arena, nic_of(s)->addresses[k]->ip);
}

static size_t count_volumes(const struct imds_facts *s)
{
	return s->volume_count;
}
static struct str name_volume(const struct imds_facts *s, size_t k)
{
	return str_print(s->arena, "ebs%zu", k + 1);
}

static size_t count_local(const struct imds_facts *s)
{
	return s->local.count;
}
static struct str name_local(const struct imds_facts *s, size_t k)
{
	size_t number = 0;
	for (size_t n = 0; n < k; n++)
		number += s->local.at[n]->local == VOLUME_LOCAL_EPHEMERAL;
	return s->local.at[k]->local == VOLUME_LOCAL_SWAP ? STR("swap")
							  : str_print(s->arena, "ephemeral%zu", number);
}

static size_t count_roles(const struct imds_facts *s)
{
	return s->iam_role && s->roles ? 1 : 0;
}
static struct str name_role(const struct imds_facts *s, size_t k)
{
	(void) k;
	return s->iam_role->name;
}

static size_t count_tags(const struct imds_facts *s)
{
	return s->tags.count;
}
static struct str name_tag(const struct imds_facts *s, size_t k)
{
	return s->tags.at[k].key;
}

/* The first of each user's keys, which are in order of users. */
static const struct connect_key *user_key(const struct imds_facts *s, size_t k)
{
	for (size_t n = 0; n < s->keys.count; n++)
		if ((n == 0 || !str_equal(s->keys.at[n].user, s->keys.at[n - 1].user)) && k-- == 0)
			return &s->keys.at[n];
	return NULL;
}
static size_t count_users(const struct imds_facts *s)
{
	size_t count = 0;
	while (user_key(s, count))
		count++;
	return count;
}
static struct str name_user(const struct imds_facts *s, size_t k)
{
	return user_key(s, k)->user;
}

/* Indexed by enum imds_var. */
static const struct variable {
	const char *word;
	size_t (*count)(const struct imds_facts *s);
	struct str (*name)(const struct imds_facts *s, size_t k); /* name in paths */
	struct str (*show)(const struct imds_facts *s, size_t k); /* name in listings; NULL: name/ */
} variables[IMDS_VARS] = {
	[IMDS_KEY] = {"{key}", count_keys, name_key, show_key},
	[IMDS_MAC] = {"{mac}", count_macs, name_mac, NULL},
	[IMDS_PUBLIC] = {"{public}", count_publics, name_public, NULL},
	[IMDS_VOLUME] = {"{ebs}", count_volumes, name_volume, NULL},
	[IMDS_LOCAL] = {"{local}", count_local, name_local, NULL},
	[IMDS_TAG] = {"{tag}", count_tags, name_tag, NULL},
	[IMDS_ROLE] = {"{role}", count_roles, name_role, name_role},
	[IMDS_USER] = {"{os-user}", count_users, name_user, NULL},
};

/* ---- whether ---- */

static bool has_local(const struct imds_facts *s)
{
	return count_local(s) > 0;
}
static bool has_key(const struct imds_facts *s)
{
	return count_keys(s) > 0;
}
static bool is_cloudstack(const struct imds_facts *s)
{
	return s->instance->personality == INSTANCE_PERSONALITY_CLOUDSTACK;
}
static bool has_cloudstack_key(const struct imds_facts *s)
{
	return is_cloudstack(s) && has_key(s);
}
/* Public address of the primary interface's primary address; NULL: none. */
static const struct address *own_public(const struct imds_facts *s)
{
	const struct imds_nic *nic = &s->nics[0];
	bool has_one = nic->address_count && ip_equal(nic->addresses[0]->private_ip, nic->port->ip);
	return has_one ? nic->addresses[0] : NULL;
}
static bool has_public_ip(const struct imds_facts *s)
{
	return own_public(s) != NULL;
}
static bool has_nic_public_ip(const struct imds_facts *s)
{
	return nic_of(s)->address_count > 0;
}
static bool has_public_name(const struct imds_facts *s)
{
	return has_public_ip(s) && engine_has_hostnames(s->router);
}
static bool has_nic_public_name(const struct imds_facts *s)
{
	return has_nic_public_ip(s) && engine_has_hostnames(s->router);
}
static bool has_root(const struct imds_facts *s)
{
	return s->root != NULL;
}
static bool has_volumes(const struct imds_facts *s)
{
	return s->volume_count > 0;
}
static bool has_tags(const struct imds_facts *s)
{
	return s->tags.count > 0;
}
static bool has_profile(const struct imds_facts *s)
{
	return s->profile != NULL;
}
static bool has_role(const struct imds_facts *s)
{
	return count_roles(s) > 0;
}
static bool has_user_data(const struct imds_facts *s)
{
	return !str_is_empty(s->instance->user_data);
}
static bool has_subnet(const struct imds_facts *s)
{
	return nic_of(s)->subnet != NULL;
}

/* ---- pieces ---- */

static void write_id(struct buf *b, enum kind kind, uuid id)
{
	char text[EC2_ID_TEXT_SIZE];
	if (!uuid_is_none(id))
		buf_add_str(b, str_from(id_write_ec2(kind, id, text)));
}

static void write_ip(struct buf *b, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	buf_add_str(b, str_from(ip_write(ip, text)));
}

static void write_cidr(struct buf *b, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	buf_add_str(b, str_from(cidr_write(block, text)));
}

/* Separates lines; no line end after the last. */
static void write_next(struct buf *b, size_t k)
{
	if (k)
		buf_add_char(b, '\n');
}

static void write_name(struct buf *b, const char *prefix, struct ip ip, struct str domain)
{
	if (ip.family == IP_V4)
		buf_print(b, "%s-%u-%u-%u-%u.%" STR_FMT, prefix, ip.b[0], ip.b[1], ip.b[2], ip.b[3],
			  STR_ARG(domain));
}

/* Private DNS name as in DescribeNetworkInterfaces; the primary interface has its instance's. */
static void write_host_name(struct buf *b, const struct imds_facts *s, const struct port *port)
{
	if (!s->instance->named_by_id || port->device_index != 0) {
		write_name(b, "ip", port->ip, s->domain);
		return;
	}
	write_id(b, KIND_INSTANCE, s->instance->row.id);
	buf_print(b, ".%" STR_FMT, STR_ARG(s->domain));
}

static void write_groups(struct buf *b, struct strs names)
{
	for (size_t k = 0; k < names.count; k++) {
		write_next(b, k);
		buf_add_str(b, names.at[k]);
	}
}

static void write_blocks(struct buf *b, const struct imds_facts *s, size_t max)
{
	for (size_t k = 0; k < s->blocks.count && k < max; k++) {
		write_next(b, k);
		write_cidr(b, s->blocks.at[k]);
	}
}

/* ---- meta-data ---- */

#define WRITER(name) static void name(const struct imds_facts *s, struct buf *b)
#define CONSTANT(name, text)                                                                                 \
	WRITER(name)                                                                                         \
	{                                                                                                    \
		(void) s;                                                                                    \
		buf_add_str(b, STR(text));                                                                   \
	}

CONSTANT(write_manifest_path, "(unknown)")
CONSTANT(write_no_action, "none")
CONSTANT(write_domain, "amazonaws.com") /* tools append it to service names in every region */
CONSTANT(write_partition, "aws")
WRITER(write_life_cycle)
{
	buf_add_str(b, uuid_is_none(s->instance->spot_request) ? STR("on-demand") : STR("spot"));
}
WRITER(write_ami)
{
	write_id(b, KIND_IMAGE, s->instance->image);
}
WRITER(write_launch_index)
{
	buf_print(b, "%" PRId64, s->instance->launch_index);
}
WRITER(write_root_device)
{
	buf_add_str(b, s->root->device);
}
static void add_device(struct buf *b, struct str device)
{
	buf_add_str(b, str_starts_with(device, STR("/dev/")) ? str_slice(device, 5, device.n) : device);
}
WRITER(write_volume_device)
{
	add_device(b, s->volumes[s->at[IMDS_VOLUME]]->device);
}
WRITER(write_local_device)
{
	add_device(b, s->local.at[s->at[IMDS_LOCAL]]->device);
}
/* Nova's and CloudStack's guests get the server's name without a domain, in EC2's tree, too. */
WRITER(write_local_hostname)
{
	if (is_cloudstack(s))
		buf_add_str(b, imds_openstack_host_name(s));
	else if (s->instance->personality == INSTANCE_PERSONALITY_OPENSTACK)
		buf_print(b, "%" STR_FMT ".%" STR_FMT, STR_ARG(imds_openstack_host_name(s)),
			  STR_ARG(s->domain));
	else
		write_host_name(b, s, s->nics[0].port);
}
/* The full UUID: CloudStack's instance id and VM id. */
WRITER(write_uuid)
{
	buf_add_str(b, uuid_to_str(s->arena, s->instance->row.id));
}
WRITER(write_instance_id)
{
	if (is_cloudstack(s))
		write_uuid(s, b);
	else
		write_id(b, KIND_INSTANCE, s->instance->row.id);
}
WRITER(write_instance_type)
{
	if (s->type)
		buf_add_str(b, s->type->name);
}
WRITER(write_local_ipv4)
{
	if (s->nics[0].ips.count)
		write_ip(b, s->nics[0].ips.at[0]);
}
WRITER(write_mac)
{
	char text[MAC_TEXT_SIZE];
	buf_add_str(b, str_from(mac_write(s->nics[0].port->mac, text)));
}
WRITER(write_zone)
{
	if (s->zone)
		buf_add_str(b, s->zone->name);
}
WRITER(write_zone_id)
{
	if (s->zone)
		buf_add_str(b, s->zone->short_id);
}
WRITER(write_region)
{
	buf_add_str(b, s->region);
}
WRITER(write_public_ipv4)
{
	write_ip(b, own_public(s)->ip);
}
WRITER(write_public_name)
{
	write_name(b, "ec2", own_public(s)->ip, s->public_domain);
}
/* Public key, with its name as the comment. */
WRITER(write_public_key)
{
	struct str rest = s->instance->public_key, part = STR_NONE;
	for (int k = 0; k < 2 && str_split_next(&rest, ' ', &part); k++) {
		buf_add_str(b, part);
		buf_add_char(b, ' ');
	}
	buf_add_str(b, s->instance->key_name);
}
WRITER(write_reservation)
{
	buf_add_str(b, id_to_prefixed(s->arena, "r", s->instance->reservation));
}
WRITER(write_security_groups)
{
	write_groups(b, s->nics[0].groups);
}
WRITER(write_tag)
{
	buf_add_str(b, s->tags.at[s->at[IMDS_TAG]].value);
}

/* ---- network/interfaces/macs/{mac} ---- */

WRITER(write_nic_number)
{
	buf_print(b, "%" PRId64, nic_of(s)->port->device_index);
}
WRITER(write_nic_id)
{
	write_id(b, KIND_PORT, nic_of(s)->port->row.id);
}
WRITER(write_nic_ips)
{
	for (size_t k = 0; k < nic_of(s)->ips.count; k++) {
		if (k)
			buf_add_char(b, '\n');
		write_ip(b, nic_of(s)->ips.at[k]);
	}
}
WRITER(write_nic_associated_ip)
{
	write_ip(b, nic_of(s)->addresses[s->at[IMDS_PUBLIC]]->private_ip);
}
WRITER(write_nic_hostname)
{
	write_host_name(b, s, nic_of(s)->port);
}
WRITER(write_nic_public_name)
{
	write_name(b, "ec2", nic_of(s)->addresses[0]->ip, s->public_domain);
}
WRITER(write_nic_mac)
{
	char text[MAC_TEXT_SIZE];
	buf_add_str(b, str_from(mac_write(nic_of(s)->port->mac, text)));
}
WRITER(write_owner)
{
	if (s->account)
		buf_add_str(b, s->account->number);
}
WRITER(write_nic_public_ips)
{
	for (size_t k = 0; k < nic_of(s)->address_count; k++) {
		if (k)
			buf_add_char(b, '\n');
		write_ip(b, nic_of(s)->addresses[k]->ip);
	}
}
WRITER(write_nic_group_ids)
{
	const struct uuids ids = nic_of(s)->port->groups;
	for (size_t k = 0; k < ids.count; k++) {
		write_next(b, k);
		write_id(b, KIND_SECURITY_GROUP, ids.at[k]);
	}
}
WRITER(write_nic_groups)
{
	write_groups(b, nic_of(s)->groups);
}
WRITER(write_nic_subnet)
{
	write_id(b, KIND_SUBNET, nic_of(s)->subnet->row.id);
}
WRITER(write_nic_subnet_block)
{
	write_cidr(b, nic_of(s)->subnet->block);
}
static bool has_vpc(const struct imds_facts *s)
{
	return s->router != NULL;
}
WRITER(write_vpc)
{
	write_id(b, KIND_ROUTER, s->router->row.id);
}
WRITER(write_vpc_block)
{
	write_blocks(b, s, 1);
}
WRITER(write_vpc_blocks)
{
	write_blocks(b, s, SIZE_MAX);
}

/* ---- IPv6 ---- */

static void write_ips(struct buf *b, struct ips ips)
{
	for (size_t k = 0; k < ips.count; k++) {
		write_next(b, k);
		write_ip(b, ips.at[k]);
	}
}
WRITER(write_ipv6)
{
	write_ip(b, s->nics[0].ipv6s.at[0]);
}
static void write_prefixes(struct buf *b, const struct imds_nic *nic, enum ip_family family)
{
	size_t count = 0;
	for (size_t k = 0; k < nic->prefixes.count; k++) {
		if (nic->prefixes.at[k].base.family != family)
			continue;
		write_next(b, count++);
		write_cidr(b, nic->prefixes.at[k]);
	}
}
WRITER(write_nic_prefixes)
{
	write_prefixes(b, nic_of(s), IP_V4);
}
WRITER(write_nic_ipv6_prefixes)
{
	write_prefixes(b, nic_of(s), IP_V6);
}
WRITER(write_nic_ipv6s)
{
	write_ips(b, nic_of(s)->ipv6s);
}
WRITER(write_nic_ipv6_block)
{
	write_cidr(b, nic_of(s)->ipv6_subnet->block);
}
WRITER(write_vpc_ipv6_blocks)
{
	for (size_t k = 0; k < s->router->ipv6_blocks.count; k++) {
		write_next(b, k);
		write_cidr(b, s->router->ipv6_blocks.at[k]);
	}
}
static bool has_ipv6(const struct imds_facts *s)
{
	return s->nics[0].ipv6s.count > 0;
}
static bool has_prefix(const struct imds_nic *nic, enum ip_family family)
{
	for (size_t k = 0; k < nic->prefixes.count; k++)
		if (nic->prefixes.at[k].base.family == family)
			return true;
	return false;
}
static bool has_nic_prefix(const struct imds_facts *s)
{
	return has_prefix(nic_of(s), IP_V4);
}
static bool has_nic_ipv6_prefix(const struct imds_facts *s)
{
	return has_prefix(nic_of(s), IP_V6);
}
static bool has_nic_ipv6(const struct imds_facts *s)
{
	return nic_of(s)->ipv6s.count > 0;
}
static bool has_ipv6_block(const struct imds_facts *s)
{
	return nic_of(s)->ipv6_subnet != NULL;
}
static bool has_vpc_ipv6(const struct imds_facts *s)
{
	return s->router && s->router->ipv6_blocks.count > 0;
}

/* ---- the rest ---- */

WRITER(write_user_data)
{
	buf_add_str(b, s->instance->user_data);
}

static int add_json(const char *bytes, size_t size, void *arg)
{
	buf_add(arg, bytes, size);
	return 0;
}

static json_t *json_of_id(enum kind kind, uuid id)
{
	char text[EC2_ID_TEXT_SIZE];
	return json_string(id_write_ec2(kind, id, text));
}

static json_t *json_of_str(struct str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

/* null if there are none. */
static json_t *json_of_codes(struct strs licences)
{
	struct licence licence;
	json_t *codes = json_array();
	for (size_t k = 0; k < licences.count; k++) {
		const char *code = licence_read(licences.at[k], &licence) ? licence_ec2_code(licence) : NULL;
		if (code)
			(void) json_array_append_new(codes, json_string(code));
	}
	if (json_array_size(codes))
		return codes;
	json_decref(codes);
	return json_null();
}

WRITER(write_document)
{
	char ip[IP_TEXT_SIZE], launched[CLOCK_TEXT_SIZE];
	static const char *const nulls[] = {"devpayProductCodes", "kernelId", "marketplaceProductCodes",
					    "ramdiskId"};
	const char *arch = s->image ? image_arch_words[s->image->arch] : "x86_64";
	json_t *document = json_pack(
		"{s:o,s:s,s:o,s:o,s:o,s:o,s:s,s:s,s:o,s:s}", "accountId",
		json_of_str(s->account ? s->account->number : STR_NONE), "architecture", arch,
		"availabilityZone", json_of_str(s->zone ? s->zone->name : STR_NONE), "imageId",
		json_of_id(KIND_IMAGE, s->instance->image), "instanceId",
		json_of_id(KIND_INSTANCE, s->instance->row.id), "instanceType",
		json_of_str(s->type ? s->type->name : STR_NONE), "pendingTime",
		clock_write_s(s->instance->launched_us, launched), "privateIp",
		ip_write(s->nics[0].port->ip, ip), "region", json_of_str(s->region), "version", "2017-09-30");
	for (size_t k = 0; k < sizeof nulls / sizeof *nulls; k++)
		(void) json_object_set_new(document, nulls[k], json_null());
	(void) json_object_set_new(document, "billingProducts", json_of_codes(s->instance->licences));
	if (!document || json_dump_callback(document, add_json, b, JSON_INDENT(2) | JSON_SORT_KEYS) != 0)
		b->failed = true;
	json_decref(document);
}

/* ---- what is going to happen to it, and what has ---- */

/* "21 Jan 2019 09:00:43 GMT" */
static json_t *json_of_time(int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	return json_string(clock_write_http(time_us, text) + strlen("Mon, "));
}

static void write_list_of_event(const struct imds_facts *s, bool is_over, struct buf *b)
{
	static const char *const states[] = {
		[INSTANCE_EVENT_STAGE_SCHEDULED] = "active",
		[INSTANCE_EVENT_STAGE_BEGUN] = "active",
		[INSTANCE_EVENT_STAGE_COMPLETED] = "completed",
		[INSTANCE_EVENT_STAGE_CANCELED] = "canceled",
	};
	const struct instance_event *e = s->event;
	json_t *list = json_array();
	if (e && is_over == (e->ended_us != 0)) {
		json_t *item = json_pack(
			"{s:o, s:s, s:o, s:o, s:s}", "NotBefore", json_of_time(e->not_before_us), "Code",
			instance_event_code_words[e->code], "Description", json_of_str(e->description),
			"EventId", json_of_id(KIND_INSTANCE_EVENT, e->row.id), "State", states[e->stage]);
		if (e->not_after_us)
			(void) json_object_set_new(item, "NotAfter", json_of_time(e->not_after_us));
		(void) json_array_append_new(list, item);
	}
	if (!list || json_dump_callback(list, add_json, b, JSON_INDENT(2) | JSON_SORT_KEYS) != 0)
		b->failed = true;
	json_decref(list);
}
WRITER(write_events)
{
	write_list_of_event(s, false, b);
}
WRITER(write_past_events)
{
	write_list_of_event(s, true, b);
}

/* True if the spot instance has received an interruption notice. */
static bool has_notice(const struct imds_facts *s)
{
	return s->spot && s->spot->interrupt_us;
}
static bool is_to_terminate(const struct imds_facts *s)
{
	return has_notice(s) && !s->spot->stops;
}
WRITER(write_spot_action)
{
	char time[CLOCK_TEXT_SIZE];
	buf_print(b, "{\"action\": \"%s\", \"time\": \"%s\"}", s->spot->stops ? "stop" : "terminate",
		  clock_write_s(s->spot->interrupt_us, time));
}
WRITER(write_spot_time)
{
	char time[CLOCK_TEXT_SIZE];
	buf_add_str(b, str_from(clock_write_s(s->spot->interrupt_us, time)));
}

static bool has_users(const struct imds_facts *s)
{
	return s->keys.count > 0;
}
/* Records of the agent's form, but without a signature, because only AWS has the key that a stock agent trusts. An empty line
 * ends each. */
WRITER(write_user_keys)
{
	struct str user = user_key(s, s->at[IMDS_USER])->user;
	for (size_t k = 0; k < s->keys.count; k++) {
		const struct connect_key *key = &s->keys.at[k];
		if (!str_equal(key->user, user))
			continue;
		buf_print(b, "#Timestamp=%" PRId64 "\n#Instance=", key->until_us / SECOND);
		write_id(b, KIND_INSTANCE, s->instance->row.id);
		buf_print(b, "\n%" STR_FMT "\n\n", STR_ARG(key->line));
	}
}

#define NIC "meta-data/network/interfaces/macs/{mac}/"
static const struct leaf leaves[] = {
	{"dynamic/instance-identity/document", write_document, NULL, false},
	{"meta-data/ami-id", write_ami, NULL, false},
	{"meta-data/ami-launch-index", write_launch_index, NULL, false},
	{"meta-data/ami-manifest-path", write_manifest_path, NULL, false},
	{"meta-data/availability-zone", write_zone, is_cloudstack, false},
	{"meta-data/block-device-mapping/ami", write_root_device, has_root, false},
	{"meta-data/block-device-mapping/root", write_root_device, has_root, false},
	{"meta-data/block-device-mapping/{ebs}", write_volume_device, has_volumes, false},
	{"meta-data/block-device-mapping/{local}", write_local_device, has_local, false},
	{"meta-data/events/maintenance/history", write_past_events, NULL, false},
	{"meta-data/events/maintenance/scheduled", write_events, NULL, false},
	{"meta-data/hostname", write_local_hostname, NULL, false},
	{"meta-data/iam/info", imds_write_profile, has_profile, false},
	{"meta-data/iam/security-credentials/{role}", imds_write_credentials, has_role, false},
	{"meta-data/instance-action", write_no_action, NULL, false},
	{"meta-data/instance-id", write_instance_id, NULL, false},
	{"meta-data/instance-life-cycle", write_life_cycle, NULL, false},
	{"meta-data/instance-type", write_instance_type, NULL, false},
	{"meta-data/ipv6", write_ipv6, has_ipv6, false},
	{"meta-data/local-hostname", write_local_hostname, NULL, false},
	{"meta-data/local-ipv4", write_local_ipv4, NULL, false},
	{"meta-data/mac", write_mac, NULL, false},
	{"meta-data/managed-ssh-keys/active-keys/{os-user}", write_user_keys, has_users, false},
	{NIC "device-number", write_nic_number, NULL, false},
	{NIC "interface-id", write_nic_id, NULL, false},
	{NIC "ipv4-associations/{public}", write_nic_associated_ip, has_nic_public_ip, false},
	{NIC "ipv4-prefix", write_nic_prefixes, has_nic_prefix, false},
	{NIC "ipv6-prefix", write_nic_ipv6_prefixes, has_nic_ipv6_prefix, false},
	{NIC "ipv6s", write_nic_ipv6s, has_nic_ipv6, false},
	{NIC "local-hostname", write_nic_hostname, NULL, false},
	{NIC "local-ipv4s", write_nic_ips, NULL, false},
	{NIC "mac", write_nic_mac, NULL, false},
	{NIC "owner-id", write_owner, NULL, false},
	{NIC "public-hostname", write_nic_public_name, has_nic_public_name, false},
	{NIC "public-ipv4s", write_nic_public_ips, has_nic_public_ip, false},
	{NIC "security-group-ids", write_nic_group_ids, NULL, false},
	{NIC "security-groups", write_nic_groups, NULL, false},
	{NIC "subnet-id", write_nic_subnet, has_subnet, false},
	{NIC "subnet-ipv4-cidr-block", write_nic_subnet_block, has_subnet, false},
	{NIC "subnet-ipv6-cidr-blocks", write_nic_ipv6_block, has_ipv6_block, false},
	{NIC "vpc-id", write_vpc, has_vpc, false},
	{NIC "vpc-ipv4-cidr-block", write_vpc_block, NULL, false},
	{NIC "vpc-ipv4-cidr-blocks", write_vpc_blocks, NULL, false},
	{NIC "vpc-ipv6-cidr-blocks", write_vpc_ipv6_blocks, has_vpc_ipv6, false},
	{"meta-data/placement/availability-zone", write_zone, NULL, false},
	{"meta-data/placement/availability-zone-id", write_zone_id, NULL, false},
	{"meta-data/placement/region", write_region, NULL, false},
	{"meta-data/public-hostname", write_public_name, has_public_name, false},
	{"meta-data/public-ipv4", write_public_ipv4, has_public_ip, false},
	{"meta-data/public-keys", write_public_key, has_cloudstack_key, false},
	{"meta-data/public-keys/{key}/openssh-key", write_public_key, has_key, false},
	{"meta-data/reservation-id", write_reservation, NULL, false},
	{"meta-data/security-groups", write_security_groups, NULL, false},
	{"meta-data/service-offering", write_instance_type, is_cloudstack, false},
	{"meta-data/services/domain", write_domain, NULL, false},
	{"meta-data/services/partition", write_partition, NULL, false},
	{"meta-data/spot/instance-action", write_spot_action, has_notice, false},
	{"meta-data/spot/termination-time", write_spot_time, is_to_terminate, false},
	{"meta-data/tags/instance/{tag}", write_tag, has_tags, false},
	{"meta-data/vm-id", write_uuid, is_cloudstack, false},
	{"user-data", write_user_data, has_user_data, true},
};

/* ---- walking it ---- */

static const struct variable *variable_of(struct str part)
{
	for (size_t k = 0; k < IMDS_VARS; k++)
		if (str_is(part, variables[k].word))
			return &variables[k];
	return NULL;
}

/* True if the part matches the pattern's part; sets the variable that the pattern names. */
static bool part_fits(struct imds_facts *s, struct str pattern, struct str part)
{
	const struct variable *v = variable_of(pattern);
	if (!v)
		return str_equal(pattern, part);
	for (size_t k = 0; k < v->count(s); k++)
		if (str_equal(v->name(s, k), part)) {
			s->at[v - variables] = k;
			return true;
		}
	return false;
}

/* Removes the path's parts from *rest; false if one does not match. */
static bool path_fits(struct imds_facts *s, const struct strs *path, struct str *rest)
{
	struct str pattern = STR_NONE;
	for (size_t k = 0; k < path->count; k++)
		if (!str_split_next(rest, '/', &pattern) || !part_fits(s, pattern, path->at[k]))
			return false;
	return true;
}

/* Writes a name, or all values of a variable. Directories end in '/', except in a version's root. */
static void write_entry(const struct imds_facts *s, struct str pattern, const char *slash, struct buf *out)
{
	const struct variable *v = variable_of(pattern);
	if (!v) {
		write_next(out, out->size);
		buf_add_str(out, pattern);
		buf_add_str(out, str_from(slash));
		return;
	}
	for (size_t k = 0; k < v->count(s); k++) {
		write_next(out, out->size);
		buf_add_str(out, v->show ? v->show(s, k) : v->name(s, k));
		buf_add_str(out, v->show ? STR_NONE : str_from(slash));
	}
}

RESULT imds_write_path(struct imds_facts *s, const struct strs *path, struct buf *out, bool *ret_is_binary)
{
	struct str last = STR_NONE;
	for (size_t k = 0; k < sizeof leaves / sizeof *leaves; k++) {
		const struct leaf *leaf = &leaves[k];
		struct str rest = str_from(leaf->path), part = STR_NONE;
		if (!path_fits(s, path, &rest) || (leaf->is_there && !leaf->is_there(s)))
			continue;
		if (str_is_empty(rest)) {
			leaf->write(s, out);
			*ret_is_binary = leaf->is_binary;
			return OK;
		}
		if (!str_split_next(&rest, '/', &part) || str_equal(part, last))
			continue;
		write_entry(s, part, path->count && rest.n ? "/" : "", out);
		last = part;
	}
	*ret_is_binary = false;
	return out->size || out->failed ? OK : FAIL(NOT_FOUND);
}
