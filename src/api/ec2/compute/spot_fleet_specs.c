/* SPDX-License-Identifier: Apache-2.0
 * Launch specifications of spot fleets: a launch template's data in the request, under names of their own. Each is read as a
 * launch in RunInstances' parameters (run_instances.c); one that names several subnets or zones is a launch for each. */
#include "api/ec2/compute/spot_fleet_specs.h"

#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/spot_requests.h"
#include "engine/instance/launch/fleet.h"

#define SPECS SPOT_FLEET_CONFIG "LaunchSpecifications"

/* ---- parameters ---- */

static const struct param group_rows[] = {
	PARAM(struct ec2_launch_words, "GroupId", text[0], .max = 255, .doc = "Security group by id."),
	PARAM(struct ec2_launch_words, "GroupName", text[1], .max = 255, .doc = "Security group by name."),
};
static const struct params group_params = PARAMS(struct ec2_launch_words, group_rows);

static const struct param tag_spec_rows[] = {
	PARAM(struct ec2_launch_words, "ResourceType", text[0], .flags = REQUIRED, .words = "instance",
	      .doc = "Resource type that the tags are for."),
	PARAM_LIST(struct ec2_launch_words, "Tag", tags, ec2_tag_params, .doc = "The tags."),
};
static const struct params tag_spec_params = PARAMS(struct ec2_launch_words, tag_spec_rows);

#define P(wire, member, ...) PARAM(struct ec2_spot_spec, wire, member, __VA_ARGS__)
static const struct param spec_rows[] = {
	P("ImageId", words.text[0], .flags = REQUIRED, .max = 255,
	  .field = offsetof(struct ec2_spot_spec, field) + 1, .doc = "Image to boot from."),
	P("InstanceType", words.text[1], .flags = REQUIRED, .max = 255, .doc = "Instance type."),
	P("KeyName", words.text[2], .max = 255, .doc = "Key pair by name."),
	P("SubnetId", words.text[3], .max = 4096, .doc = "Subnets, separated by commas: a launch for each."),
	P("Placement.AvailabilityZone", words.text[4], .max = 4096,
	  .doc = "Availability Zones by name, separated by commas: a launch for each."),
	P("Placement.GroupName", words.text[5], .max = 255, .doc = "Placement group by name."),
	P("Placement.Tenancy", words.text[6], .words = "default|dedicated",
	  .doc = "Tenancy of the instance."),
	P("IamInstanceProfile.Arn", words.text[7], .max = 2048,
	  .doc = "Instance profile by ARN; the guest gets credentials of its role."),
	P("IamInstanceProfile.Name", words.text[8], .max = 128,
	  .doc = "Instance profile by name, instead of its ARN."),
	P("Monitoring.Enabled", words.flag[0], .doc = "Stored and shown; has no effect."),
	P("EbsOptimized", words.flag[1], .doc = "Stored and shown; has no effect."),
	P("UserData", words.text[9], .max = 4 * (16384 / 3 + 1), .doc = "User data, base64, up to 16 KiB."),
	P("SpotPrice", price, .max = 32,
	  .doc = "Maximum price per hour; absent: the request's. Stored and shown."),
	P("WeightedCapacity", capacity, .max = 32,
	  .doc = "Units of capacity that one instance provides; absent: 1."),
	PARAM_LIST(struct ec2_spot_spec, "GroupSet", groups, group_params, .max = 16,
		   .doc = "Security groups."),
	PARAM_LIST(struct ec2_spot_spec, "BlockDeviceMapping", words.parts[0], ec2_spot_disk_params,
		   .max = 40, .doc = "Block device mapping: disks to add, change or leave out."),
	PARAM_LIST(struct ec2_spot_spec, "NetworkInterfaceSet", words.parts[1], ec2_launch_interface_params,
		   .max = 16, .doc = "Network interfaces."),
	PARAM_LIST(struct ec2_spot_spec, "TagSpecificationSet", tag_specs, tag_spec_params, .max = 1,
		   .doc = "Tags of the instances."),
	NOT_BUILT("KernelId|RamdiskId|AddressingType|InstanceRequirements"),
};
#undef P
const struct params ec2_spot_spec_params = PARAMS(struct ec2_spot_spec, spec_rows);

/* ---- launches ---- */

/* The list that a specification has a launch for each item of; empty: one launch. */
static struct str list_of(const struct ec2_spot_spec *spec)
{
	return spec->words.text[3].n ? spec->words.text[3] : spec->words.text[4];
}

static size_t count_launches(const struct ec2_spot_spec *spec)
{
	struct str rest = list_of(spec), item;
	size_t count = 0;
	while (str_split_next(&rest, ',', &item))
		count++;
	return count ? count : 1;
}

/* The specification's parameters begin with the text before "ImageId". */
static struct str prefix_of(const struct ec2_spot_spec *spec)
{
	return str_slice(spec->field, 0, spec->field.n - strlen("ImageId"));
}

/* RunInstances' name of a specification's parameter; empty: it has none. */
static struct str rename_parameter(struct arena *a, struct str name)
{
	static const struct {
		const char *set, *instead;
	} sets[] = {{"NetworkInterfaceSet.", "NetworkInterface."},
		    {"TagSpecificationSet.", "TagSpecification."}};
	static const struct {
		const char *end, *instead;
	} groups[] = {{".GroupId", "SecurityGroupId"}, {".GroupName", "SecurityGroup"}};
	struct str group_set = STR("GroupSet.");
	if (str_is(name, "WeightedCapacity") || str_is(name, "SpotPrice"))
		return STR_NONE;
	for (size_t k = 0; k < 2; k++)
		if (str_starts_with(name, str_from(sets[k].set)))
			return str_print(a, "%s%" STR_FMT, sets[k].instead,
					 STR_ARG(str_slice(name, strlen(sets[k].set), name.n)));
	for (size_t k = 0; k < 2 && str_starts_with(name, group_set); k++)
		if (str_ends_with(name, str_from(groups[k].end)))
			return str_print(
				a, "%s.%" STR_FMT, groups[k].instead,
				STR_ARG(str_slice(name, group_set.n, name.n - strlen(groups[k].end))));
	return name;
}

/* at: the subnet or the zone of this launch; empty: the specification names none. */
static RESULT read_launch(struct ec2_call *e, const struct pairs *pairs, const struct ec2_spot_spec *spec,
			  struct str at, struct instance_launch *ret_launch)
{
	struct ec2_said s = {0};
	struct str prefix = prefix_of(spec);
	const char *listed = spec->words.text[3].n ? "SubnetId" : "Placement.AvailabilityZone";
	for (size_t k = 0; k < pairs->count; k++) {
		const struct pair *pair = &pairs->at[k];
		if (!str_starts_with(pair->name, prefix))
			continue;
		struct str name =
			rename_parameter(e->c->arena, str_slice(pair->name, prefix.n, pair->name.n));
		const struct pair kept = {name, at.n && str_is(name, listed) ? at : pair->value};
		s.has_failed |= name.n && !VEC_PUSH(e->c->arena, &s.pairs, kept); /* NoDevice may be empty */
	}
	ec2_say(e, &s, STR("MinCount"), STR("1"));
	ec2_say(e, &s, STR("MaxCount"), STR("1"));
	if (s.has_failed || arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	const struct pairs said = {s.pairs.at, s.pairs.count};
	return ec2_read_launch(e, &said, ret_launch);
}

static RESULT take_launch(struct ec2_call *e, const struct pairs *pairs, const struct ec2_spot_spec *spec,
			  struct str at, struct fleet_override *ret_override)
{
	struct result read = read_launch(e, pairs, spec, at, &ret_override->launch);
	if (read.code == ERR_NO_MEMORY || read.code == ERR_TOO_LARGE || read.code == ERR_DENIED)
		return read;
	if (!result_is_ok(read)) {
		ec2_tell_problem(e, read, &ret_override->code, &ret_override->message);
		ctx_clear_problem(e->c);
	}
	return OK;
}

RESULT ec2_take_spot_specs(struct ec2_call *e, const struct pairs *pairs, const struct ec2_spot_specs *specs,
			   struct str price, struct fleet_override **ret_overrides, size_t *ret_count)
{
	size_t total = 0, count = 0;
	for (size_t k = 0; k < specs->count; k++)
		total += count_launches(&specs->at[k]);
	if (total > FLEET_OVERRIDES_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR(SPECS), "A fleet has up to %d launches.",
				      FLEET_OVERRIDES_MAX);
	struct fleet_override *overrides = arena_new_array(e->c->arena, struct fleet_override, total + 1);
	if (!overrides)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < specs->count; k++) {
		const struct ec2_spot_spec *spec = &specs->at[k];
		struct str rest = list_of(spec), item = STR_NONE;
		for (size_t n = count_launches(spec); n > 0; n--) {
			struct fleet_override *o = &overrides[count++];
			(void) str_split_next(&rest, ',', &item);
			TRY(ec2_read_thousandths(e, spec->capacity, SPECS ".WeightedCapacity", 1, FLEET_UNIT,
						 &o->capacity));
			TRY(take_launch(e, pairs, spec, str_trim(item), o));
			TRY(ec2_take_spot_price(e, spec->price.n ? spec->price : price, SPECS ".SpotPrice",
						&o->launch.spot.max_price));
		}
	}
	*ret_overrides = overrides;
	*ret_count = count;
	return OK;
}

RESULT ec2_check_spot_specs(struct ec2_call *e, const struct ec2_spot_specs *specs)
{
	for (size_t k = 0; k < specs->count; k++) {
		struct str rest = list_of(&specs->at[k]), item = STR_NONE;
		for (size_t n = count_launches(&specs->at[k]); n > 0; n--) {
			struct instance_launch launch = {0};
			(void) str_split_next(&rest, ',', &item);
			TRY(read_launch(e, &e->pairs, &specs->at[k], str_trim(item), &launch));
		}
	}
	return OK;
}

/* ---- answers ---- */

static void write_groups(struct xml *x, const struct ec2_spot_spec *spec)
{
	xml_open(x, "groupSet");
	for (size_t k = 0; k < spec->groups.count; k++) {
		xml_open(x, "item");
		xml_text_opt(x, "groupId", spec->groups.at[k].text[0]);
		xml_text_opt(x, "groupName", spec->groups.at[k].text[1]);
		xml_close(x, "item");
	}
	xml_close(x, "groupSet");
}

static void write_tags(struct xml *x, const struct ec2_spot_spec *spec)
{
	if (!spec->tag_specs.count)
		return;
	xml_open(x, "tagSpecificationSet");
	for (size_t k = 0; k < spec->tag_specs.count; k++) {
		const struct tags tags = spec->tag_specs.at[k].tags;
		xml_open(x, "item");
		xml_text(x, "resourceType", spec->tag_specs.at[k].text[0]);
		xml_open(x, "tag");
		for (size_t n = 0; n < tags.count; n++) {
			xml_open(x, "item");
			xml_text(x, "key", tags.at[n].key);
			xml_text(x, "value", tags.at[n].value);
			xml_close(x, "item");
		}
		xml_close(x, "tag");
		xml_close(x, "item");
	}
	xml_close(x, "tagSpecificationSet");
}

static void write_placement(struct xml *x, const struct str *said)
{
	if (!said[4].n && !said[5].n && !said[6].n)
		return;
	xml_open(x, "placement");
	xml_text_opt(x, "availabilityZone", said[4]);
	xml_text_opt(x, "groupName", said[5]);
	xml_text_opt(x, "tenancy", said[6]);
	xml_close(x, "placement");
}

static void write_profile(struct xml *x, const struct str *said)
{
	if (!said[7].n && !said[8].n)
		return;
	xml_open(x, "iamInstanceProfile");
	xml_text_opt(x, "arn", said[7]);
	xml_text_opt(x, "name", said[8]);
	xml_close(x, "iamInstanceProfile");
}

static void write_spec(struct ec2_call *e, struct xml *x, const struct ec2_spot_spec *spec)
{
	const struct str *said = spec->words.text;
	xml_open(x, "item");
	write_groups(x, spec);
	if (spec->words.parts[0].count)
		ec2_write_spot_disks(x, &spec->words.parts[0]);
	xml_bool(x, "ebsOptimized", spec->words.flag[1]);
	write_profile(x, said);
	xml_text_opt(x, "imageId", said[0]);
	xml_text_opt(x, "instanceType", said[1]);
	xml_text_opt(x, "keyName", said[2]);
	xml_open(x, "monitoring");
	xml_bool(x, "enabled", spec->words.flag[0]);
	xml_close(x, "monitoring");
	if (spec->words.parts[1].count)
		ec2_write_spot_interfaces(x, &spec->words.parts[1]);
	write_placement(x, said);
	xml_text_opt(x, "spotPrice", spec->price);
	xml_text_opt(x, "subnetId", said[3]);
	xml_text_opt(x, "userData", said[9]);
	ec2_write_double(e, x, "weightedCapacity", spec->capacity);
	write_tags(x, spec);
	xml_close(x, "item");
}

void ec2_write_spot_specs(struct ec2_call *e, struct xml *x, const struct ec2_spot_specs *specs)
{
	if (!specs->count)
		return;
	xml_open(x, "launchSpecifications");
	for (size_t k = 0; k < specs->count; k++)
		write_spec(e, x, &specs->at[k]);
	xml_close(x, "launchSpecifications");
}
