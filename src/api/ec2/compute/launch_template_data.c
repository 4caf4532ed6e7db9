/* SPDX-License-Identifier: Apache-2.0
 * Content of launch templates: read from requests, stored, merged, shown. */
#include "api/ec2/compute/launch_template_data.h"

#include "api/ec2/storage/volumes.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/network/port/port.h"

/* ---- parameters ---- */

#define P(wire, member, ...) PARAM(struct ec2_launch_words, wire, member, __VA_ARGS__)
static const struct param mapping_rows[] = {
	P("DeviceName", text[0], .max = 32,
	  .doc = "Device name of a disk of the image, or of an additional disk."),
	P("VirtualName", text[1], .max = 32, .doc = "Instance store volume, ephemeralN."),
	P("NoDevice", text[2], .max = 32, .doc = "Removes the image's disk of that device name."),
	P("Ebs.SnapshotId", text[3], .max = 255, .doc = "Snapshot that the disk is created from."),
	P("Ebs.VolumeSize", number[0], .min = 1, .max = EC2_GIB_MAX, .doc = "Size in GiB."),
	P("Ebs.VolumeType", text[4], .words = EC2_VOLUME_TYPES,
	  .doc = "Volume type: limits IOPS and throughput."),
	P("Ebs.Iops", number[1], .min = 1, .max = EC2_IOPS_MAX, .doc = "IOPS limit of the disk."),
	P("Ebs.Throughput", number[2], .min = 1, .max = EC2_IOPS_MAX,
	  .doc = "Throughput limit of the disk in MiB/s."),
	P("Ebs.DeleteOnTermination", flag[0], .doc = "Whether the volume is deleted with the instance."),
	P("Ebs.Encrypted", flag[1], .doc = "Whether the disk is encrypted at rest."),
	P("Ebs.KmsKeyId", text[5], .max = 2048, .doc = "The account's key for volumes; no other key exists."),
};
const struct params ec2_launch_mapping_params = PARAMS(struct ec2_launch_words, mapping_rows);

static const struct param address_rows[] = {
	P("PrivateIpAddress", text[0], .max = 64, .doc = "Private IPv4 address."),
	P("Primary", flag[0], .doc = "Whether the address is the primary one."),
};
static const struct params address_params = PARAMS(struct ec2_launch_words, address_rows);

static const struct param ipv6_address_rows[] = {
	P("Ipv6Address", text[0], .flags = REQUIRED, .max = 64, .doc = "IPv6 address."),
};
static const struct params ipv6_address_params = PARAMS(struct ec2_launch_words, ipv6_address_rows);

static const struct param ipv4_prefix_rows[] = {
	P("Ipv4Prefix", text[0], .flags = REQUIRED, .max = 64, .doc = "IPv4 prefix, a /28."),
};
static const struct params ipv4_prefix_params = PARAMS(struct ec2_launch_words, ipv4_prefix_rows);

static const struct param ipv6_prefix_rows[] = {
	P("Ipv6Prefix", text[0], .flags = REQUIRED, .max = 64, .doc = "IPv6 prefix, a /80."),
};
static const struct params ipv6_prefix_params = PARAMS(struct ec2_launch_words, ipv6_prefix_rows);

static const struct param interface_rows[] = {
	P("DeviceIndex", number[0], .min = 0, .max = PORT_DEVICE_INDEX_MAX,
	  .doc = "Device index of the interface."),
	P("NetworkInterfaceId", text[0], .max = 255, .doc = "Existing network interface."),
	P("SubnetId", text[1], .max = 255, .doc = "Subnet of a new interface."),
	P("Description", text[2], .max = 255, .doc = "Description: free text."),
	P("SecurityGroupId", texts[0], .max = 255, .doc = "Security groups of the interface."),
	P("PrivateIpAddress", text[3], .max = 64, .doc = "Primary private address."),
	PARAM_LIST(struct ec2_launch_words, "PrivateIpAddresses", parts[0], address_params,
		   .max = PORT_IPS_MAX, .doc = "Private addresses of the interface."),
	P("SecondaryPrivateIpAddressCount", number[1], .min = 0, .max = PORT_IPS_MAX - 1,
	  .doc = "Number of secondary addresses to assign automatically."),
	P("AssociatePublicIpAddress", flag[0], .doc = "Whether the interface gets a public address."),
	P("DeleteOnTermination", flag[1], .doc = "Whether the interface is deleted with its instance."),
	EC2_LAUNCH_INTERFACE_UNBUILT,
	P("Ipv6AddressCount", number[2], .min = 0, .max = PORT_IPS_MAX,
	  .doc = "Number of IPv6 addresses to assign automatically."),
	PARAM_LIST(struct ec2_launch_words, "Ipv6Addresses", parts[1], ipv6_address_params,
		   .max = PORT_IPS_MAX, .doc = "IPv6 addresses to assign, instead of a number."),
	P("Ipv4PrefixCount", number[3], .min = 0, .max = PORT_IPS_MAX - 1,
	  .doc = "Number of /28 prefixes to assign automatically."),
	PARAM_LIST(struct ec2_launch_words, "Ipv4Prefix", parts[2], ipv4_prefix_params,
		   .max = PORT_IPS_MAX - 1, .doc = "IPv4 prefixes to assign, instead of a number."),
	P("Ipv6PrefixCount", number[4], .min = 0, .max = PORT_IPS_MAX,
	  .doc = "Number of IPv6 /80 prefixes to assign automatically."),
	PARAM_LIST(struct ec2_launch_words, "Ipv6Prefix", parts[3], ipv6_prefix_params, .max = PORT_IPS_MAX,
		   .doc = "IPv6 prefixes to assign, instead of a number."),
};
const struct params ec2_launch_interface_params = PARAMS(struct ec2_launch_words, interface_rows);

static const struct param tag_spec_rows[] = {
	P("ResourceType", text[0], .flags = REQUIRED,
	  .words = "instance|volume|network-interface|spot-instances-request",
	  .doc = "Resource type that the tags are for."),
	PARAM_LIST(struct ec2_launch_words, "Tag", tags, ec2_tag_params, .doc = "The tags."),
};
const struct params ec2_launch_tag_spec_params = PARAMS(struct ec2_launch_words, tag_spec_rows);
#undef P

/* ---- from one form to the other ---- */

RESULT ec2_read_launch_data(struct ec2_call *e, struct str data, struct pairs *ret_pairs)
{
	return request_parse(e->c, STR_NONE, data, ret_pairs);
}

RESULT ec2_take_launch_data(struct ec2_call *e, struct pairs *ret_pairs)
{
	const struct str prefix = STR(LAUNCH_DATA ".");
	struct pair *pairs = arena_new_array(e->c->arena, struct pair, e->pairs.count);
	size_t count = 0;
	if (!pairs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < e->pairs.count; k++) {
		struct pair pair = e->pairs.at[k];
		if (!str_starts_with(pair.name, prefix))
			continue;
		pair.name = str_slice(pair.name, prefix.n, pair.name.n);
		pairs[count++] = pair;
	}
	if (count == 0)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR(LAUNCH_DATA),
			"No launch template data was provided. Launch template data is required to "
			"create a launch template.");
	*ret_pairs = (struct pairs){pairs, count};
	return OK;
}

/* The part of a name that is merged as one value: a list as a whole, or either of two names for one thing. */
static struct str subject_of(struct str name)
{
	for (size_t k = 0; k + 1 < name.n; k++)
		if (name.p[k] == '.' && name.p[k + 1] >= '0' && name.p[k + 1] <= '9')
			name = str_slice(name, 0, k);
	if (str_is(name, "SecurityGroup"))
		return STR("SecurityGroupId");
	if (str_is(name, "IamInstanceProfile.Name"))
		return STR("IamInstanceProfile.Arn");
	return str_is(name, "Placement.GroupName") ? STR("Placement.GroupId") : name;
}

static bool is_said(const struct pairs *pairs, struct str subject)
{
	for (size_t k = 0; k < pairs->count; k++)
		if (str_equal(subject_of(pairs->at[k].name), subject))
			return true;
	return false;
}

static void add_pair(struct buf *form, struct arena *a, const struct pair *pair)
{
	if (buf_str(form).n)
		buf_add_char(form, '&');
	buf_add_str(form, str_encode_url(a, pair->name, false));
	buf_add_char(form, '=');
	buf_add_str(form, str_encode_url(a, pair->value, false));
}

RESULT ec2_merge_launch_data(struct ec2_call *e, const struct pairs *over, const struct pairs *base,
			     struct str *ret_data)
{
	struct buf form;
	buf_init(&form, 4 * LAUNCH_TEMPLATE_DATA_MAX);
	for (size_t k = 0; k < over->count; k++)
		add_pair(&form, e->c->arena, &over->at[k]);
	for (size_t k = 0; k < base->count; k++)
		if (!is_said(over, subject_of(base->at[k].name)))
			add_pair(&form, e->c->arena, &base->at[k]);
	struct result result = buf_finish(&form);
	*ret_data = str_copy(e->c->arena, buf_str(&form));
	buf_done(&form);
	if (result.code == ERR_TOO_LARGE)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR(LAUNCH_DATA),
				      "The launch template says too much.");
	TRY(result);
	return arena_is_full(e->c->arena) ? ctx_no_memory(e->c) : OK;
}

struct str ec2_find_launch_word(struct str data, const char *name)
{
	struct str rest = data, piece;
	size_t n = strlen(name);
	while (str_split_next(&rest, '&', &piece))
		if (piece.n > n && piece.p[n] == '=' && memcmp(piece.p, name, n) == 0)
			return str_slice(piece, n + 1, piece.n);
	return (struct str){0};
}

/* ---- shown ---- */

enum { DEPTH_MAX = 8 };

/* Elements whose name differs from the parameter's in more than the first letter's case. */
static const struct {
	const char *segment, *within, *element;
} elements[] = {
	{"SecurityGroupId", "NetworkInterface", "groupSet"},
	{"SecurityGroupId", "", "securityGroupIdSet"},
	{"SecurityGroup", "", "securityGroupSet"},
	{"BlockDeviceMapping", "", "blockDeviceMappingSet"},
	{"NetworkInterface", "", "networkInterfaceSet"},
	{"PrivateIpAddresses", "NetworkInterface", "privateIpAddressesSet"},
	{"Ipv6Addresses", "NetworkInterface", "ipv6AddressesSet"},
	{"Ipv4Prefix", "NetworkInterface", "ipv4PrefixSet"},
	{"Ipv6Prefix", "NetworkInterface", "ipv6PrefixSet"},
	{"TagSpecification", "", "tagSpecificationSet"},
	{"Tag", "TagSpecification", "tagSet"},
};

struct data_path {
	struct str segments[DEPTH_MAX];
	const char *names[DEPTH_MAX];
	size_t depth;
};

static const char *name_element(struct arena *a, const struct data_path *path, size_t at)
{
	struct str segment = path->segments[at];
	bool is_number = segment.p[0] >= '0' && segment.p[0] <= '9';
	if (is_number)
		return at && strcmp(path->names[at - 1], "groupSet") == 0 ? "groupId" : "item";
	bool is_in_list = at > 1 && str_equal(segment, path->segments[at - 2]); /* as in
	                                                                         * Ipv4Prefix.1.Ipv4Prefix */
	for (size_t k = 0; k < sizeof elements / sizeof elements[0] && !is_in_list; k++)
		if (str_is(segment, elements[k].segment) &&
		    str_is(at ? path->segments[0] : STR_NONE, elements[k].within))
			return elements[k].element;
	return str_to_z(a, str_print(a, "%c%" STR_FMT, segment.p[0] | 0x20,
				     STR_ARG(str_slice(segment, 1, segment.n))));
}

/* Splits the name into segments; those shared with the previous pair already have element names. */
static void cut_path(struct arena *a, struct str name, struct data_path *path)
{
	struct str rest = name, segment;
	path->depth = 0;
	while (path->depth < DEPTH_MAX && str_split_next(&rest, '.', &segment) && segment.n) {
		path->segments[path->depth] = segment;
		path->names[path->depth] = name_element(a, path, path->depth);
		path->depth++;
	}
}

static size_t count_common(const struct data_path *before, const struct data_path *now)
{
	size_t common = 0;
	while (common + 1 < before->depth && common + 1 < now->depth &&
	       str_equal(before->segments[common], now->segments[common]))
		common++;
	return common;
}

void ec2_write_launch_data(struct ec2_call *e, struct xml *x, const char *name, const struct pairs *data)
{
	struct data_path before = {.depth = 0}, now;
	xml_open(x, name);
	for (size_t k = 0; k <= data->count; k++) {
		now.depth = 0;
		if (k < data->count)
			cut_path(e->c->arena, data->at[k].name, &now);
		size_t common = count_common(&before, &now);
		for (size_t n = before.depth; n-- > common + 1;)
			xml_close(x, before.names[n - 1]);
		for (size_t n = common; n + 1 < now.depth; n++)
			xml_open(x, now.names[n]);
		if (now.depth)
			xml_text(x, now.names[now.depth - 1], data->at[k].value);
		before = now;
	}
	xml_close(x, name);
}
