/* SPDX-License-Identifier: Apache-2.0
 * Versions of launch templates: CreateLaunchTemplateVersion, DescribeLaunchTemplateVersions,
 * DeleteLaunchTemplateVersions; and GetLaunchTemplateData, which describes an instance in the form of a
 * version. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/launch_template_data.h"
#include "api/ec2/compute/launch_templates.h"
#include "api/ec2/core/write.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/instance.h"
#include "model/launch_template_version.h"
#include "model/port.h"
#include "model/volume.h"
#include "store/instance_type.h"
#include "store/launch_template.h"
#include "store/server_group.h"
#include "store/zone.h"

enum { VERSIONS_NAMED_MAX = 200, VERSION_TEXT_MAX = 32 };

/* ---- describe ---- */

struct ec2_describe_versions {
	struct ec2_query query;
	struct ref id, name;
	struct strs versions;
	struct str min, max;
	/* results: */
	uuid template; /* none: versions of all templates */
	int64_t min_number, max_number;
	struct {
		const int64_t *at;
		size_t count;
	} numbers;
};
#define P(wire, member, ...) PARAM(struct ec2_describe_versions, wire, member, __VA_ARGS__)
static const struct param describe_params[] = {
	P("LaunchTemplateId", id, .kind = KIND_LAUNCH_TEMPLATE, .doc = "Launch template by id."),
	P("LaunchTemplateName", name, .flags = BY_NAME, .kind = KIND_LAUNCH_TEMPLATE,
	  .max = LAUNCH_TEMPLATE_NAME_MAX,
	  .doc = "Launch template by name, instead of its id; absent: all templates."),
	P("LaunchTemplateVersion", versions, .max = VERSION_TEXT_MAX,
	  .doc = "Version numbers, $Latest or $Default. Without a template only $Latest and $Default are "
		 "allowed."),
	P("MinVersion", min, .max = VERSION_TEXT_MAX, .doc = "Lowest version number."),
	P("MaxVersion", max, .max = VERSION_TEXT_MAX, .doc = "Highest version number."),
	QUERY_FILTERS(struct ec2_describe_versions),
	QUERY_PAGES(struct ec2_describe_versions, 1, 200),
	NOT_BUILT("ResolveAlias|IncludeManagedResources", .only = "false"),
};
#undef P

static const struct launch_template_version *version_of(const struct row *row)
{
	return launch_template_version_of(row);
}

static bool fits_create_time(const struct filter_run *f, const struct row *row)
{
	return filter_time(f, row->created_us);
}

static bool fits_default(const struct filter_run *f, const struct row *row)
{
	const struct launch_template *template = launch_template_find(f->t, version_of(row)->template);
	return template && filter_bool(f, template->default_version == version_of(row)->number);
}

/* Compares the version's parameter that belongs to the filter. */
static bool fits_word(const struct filter_run *f, const struct row *row)
{
	static const struct {
		const char *filter, *name;
	} words[] = {
		{"ebs-optimized", "EbsOptimized"},
		{"http-endpoint", "MetadataOptions.HttpEndpoint"},
		{"http-tokens", "MetadataOptions.HttpTokens"},
		{"image-id", "ImageId"},
		{"instance-type", "InstanceType"},
	};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
		struct str value = ec2_find_launch_word(version_of(row)->data, words[k].name);
		if (strcmp(f->filter->name, words[k].filter) == 0)
			return value.p && filter_text(f, value);
	}
	return false;
}

static const struct filter version_filters[] = {
	{"create-time", .get = fits_create_time},
	{"is-default-version", .get = fits_default},
	{"ebs-optimized", .get = fits_word},
	{"http-endpoint", .get = fits_word},
	{"http-tokens", .get = fits_word},
	{"image-id", .get = fits_word},
	{"instance-type", .get = fits_word},
	{"http-protocol-ipv4", .get = filter_nothing},
	{"host-resource-group-arn", .get = filter_nothing},
	{"iam-instance-profile", .get = filter_nothing},
	{"kernel-id", .get = filter_nothing},
	{"license-configuration-arn", .get = filter_nothing},
	{"network-card-index", .get = filter_nothing},
	{"ram-disk-id", .get = filter_nothing},
};

static bool is_named(const struct ec2_describe_versions *a, const struct launch_template *template,
		     int64_t number)
{
	for (size_t k = 0; k < a->versions.count; k++) {
		struct str text = a->versions.at[k];
		int64_t wanted = str_is(text, "$Latest")    ? template->latest_version
				 : str_is(text, "$Default") ? template->default_version
				 : a->numbers.count         ? a->numbers.at[k]
							    : 0;
		if (wanted == number)
			return true;
	}
	return a->versions.count == 0;
}

static bool shows_version(struct ec2_call *e, const struct row *row)
{
	const struct launch_template_version *version = version_of(row);
	const struct launch_template *template = launch_template_find(ec2_tables(e), version->template);
	const struct ec2_describe_versions *a = e->args;
	if (e->action->operation || !template) /* a change shows its own version */
		return template != 0;
	if (!uuid_is_none(a->template) && !uuid_equal(a->template, version->template))
		return false;
	return version->number >= a->min_number && version->number <= a->max_number &&
	       is_named(a, template, version->number);
}

struct version_item {
	const struct launch_template_version *version;
	const struct launch_template *template;
	struct str maker;
	struct pairs data;
};

static const void *gather_version(struct ec2_call *e, const struct row *row)
{
	struct version_item *item = arena_new_object(e->c->arena, struct version_item);
	if (!item)
		return 0;
	item->version = version_of(row);
	item->template = launch_template_find(ec2_tables(e), item->version->template);
	item->maker = ec2_gather_maker(e, item->version->made_by);
	return result_is_ok(ec2_read_launch_data(e, item->version->data, &item->data)) ? item : 0;
}

static void write_version(struct ec2_call *e, struct xml *x, const void *data)
{
	const struct version_item *item = data;
	const struct launch_template_version *version = item->version;
	ec2_write_id(x, "launchTemplateId", KIND_LAUNCH_TEMPLATE, version->template);
	if (item->template)
		xml_text(x, "launchTemplateName", item->template->name);
	xml_int(x, "versionNumber", version->number);
	xml_text_opt(x, "versionDescription", version->description);
	xml_time_ms(x, "createTime", version->row.created_us);
	xml_text(x, "createdBy", item->maker);
	xml_bool(x, "defaultVersion", item->template && item->template->default_version == version->number);
	ec2_write_launch_data(e, x, "launchTemplateData", &item->data);
}

static const struct ec2_listing version_listing = {.kind = KIND_LAUNCH_TEMPLATE_VERSION,
						   .set = "launchTemplateVersionSet",
						   .filters = FILTERS(version_filters),
						   .shows = shows_version,
						   .is_hiding = true,
						   .gather = gather_version,
						   .write = write_version};

/* Versions of all templates can be chosen only by $Latest and $Default, because numbers belong to one
 * template. */
static RESULT check_words(struct ec2_call *e, const struct ec2_describe_versions *a)
{
	bool is_good = a->versions.count > 0 && str_is_empty(a->min) && str_is_empty(a->max);
	for (size_t k = 0; k < a->versions.count; k++)
		is_good = is_good &&
			  (str_is(a->versions.at[k], "$Latest") || str_is(a->versions.at[k], "$Default"));
	if (is_good)
		return OK;
	/* AWS's message, which names options of its command line. */
	return ctx_fail_field(
		e->c, a->versions.count > 0 ? ERR_INVALID : ERR_MISSING, STR("LaunchTemplateVersion"),
		"To describe the launch template data for all your launch templates, for ‘--versions’ "
		"specify "
		"‘$Latest’, ‘$Default’, or both, and omit ‘--launch-template-id’, ‘--launch-template-name’, "
		"and version numbers. To describe the launch template data for a specific launch template, "
		"specify ‘--launch-template-id’ or ‘--launch-template-name’, and for ‘--versions’ specify "
		"one "
		"or more of the following values: ‘$Latest’, ‘$Default’, or one or more version numbers.");
}

static RESULT find_numbers(struct ec2_call *e, struct ec2_describe_versions *a,
			   const struct launch_template *template)
{
	int64_t *numbers = arena_new_array(e->c->arena, int64_t, a->versions.count + 1);
	const struct launch_template_version *version = 0;
	if (!numbers)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->versions.count; k++) {
		TRY(engine_find_launch_template_version(e->c, ec2_tables(e), template, a->versions.at[k],
							STR("LaunchTemplateVersion"), &version));
		numbers[k] = version->number;
	}
	a->numbers.at = numbers;
	a->numbers.count = a->versions.count;
	return OK;
}

static RESULT read_bound(struct ec2_call *e, struct str text, const char *name, int64_t *number)
{
	if (str_is_empty(text) || (result_is_ok(str_parse_int(text, number)) && *number >= 0))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(name),
			      "Value (%" STR_FMT ") for parameter %" STR_FMT
			      " is invalid. It must be a number.",
			      STR_ARG(text), STR_ARG(params_small_name(e->c->arena, str_from(name))));
}

static RESULT prepare_describe(struct ec2_call *e, void *args)
{
	struct ec2_describe_versions *a = args;
	const struct launch_template *template = 0;
	struct ref ref;
	a->max_number = INT64_MAX;
	TRY(read_bound(e, a->min, "MinVersion", &a->min_number));
	TRY(read_bound(e, a->max, "MaxVersion", &a->max_number));
	if (a->id.kind == KIND_NONE && a->name.kind == KIND_NONE)
		return check_words(e, a);
	TRY(request_choose(e->c, &a->id, "LaunchTemplateId", &a->name, "LaunchTemplateName", &ref));
	TRY(engine_find_own_launch_template(e->c, ec2_tables(e), &ref, &template));
	a->template = template->row.id;
	return find_numbers(e, a, template);
}

/* ---- create ---- */

struct ec2_create_version {
	struct launch_template_version_wish wish;
	struct ref name;
	struct str source;
	struct ec2_launch_words data;
};
#define P(wire, member, ...) PARAM(struct ec2_create_version, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("LaunchTemplateId", wish.launch_template, .kind = KIND_LAUNCH_TEMPLATE,
	  .doc = "Launch template by id."),
	P("LaunchTemplateName", name, .flags = BY_NAME, .kind = KIND_LAUNCH_TEMPLATE,
	  .max = LAUNCH_TEMPLATE_NAME_MAX, .doc = "Launch template by name, instead of its id."),
	P("SourceVersion", source, .max = VERSION_TEXT_MAX,
	  .doc = "Version that provides the values missing from this request."),
	P("VersionDescription", wish.description, .max = LAUNCH_TEMPLATE_WORDS_MAX,
	  .doc = "Description of the version."),
	P("ClientToken", wish.client_token, .max = 128, .doc = "Idempotency token of the request."),
	LAUNCH_DATA_ROWS(struct ec2_create_version, data),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_version *a = args;
	const struct launch_template *template = 0;
	const struct launch_template_version *source = 0;
	struct pairs said, base = {0};
	TRY(request_choose(e->c, &a->wish.launch_template, "LaunchTemplateId", &a->name, "LaunchTemplateName",
			   &a->wish.launch_template));
	TRY(ec2_take_launch_data(e, &said));
	if (a->source.n) {
		TRY(engine_find_own_launch_template(e->c, ec2_tables(e), &a->wish.launch_template,
						    &template));
		TRY(engine_find_launch_template_version(e->c, ec2_tables(e), template, a->source,
							STR("SourceVersion"), &source));
		TRY(ec2_read_launch_data(e, source->data, &base));
	}
	return ec2_merge_launch_data(e, &said, &base, &a->wish.data);
}

/* ---- delete ---- */

struct ec2_delete_versions {
	struct launch_template_removals wish;
	struct ref name;
	struct strs versions;
};
#define P(wire, member, ...) PARAM(struct ec2_delete_versions, wire, member, __VA_ARGS__)
static const struct param delete_params[] = {
	P("LaunchTemplateId", wish.launch_template, .kind = KIND_LAUNCH_TEMPLATE,
	  .doc = "Launch template by id."),
	P("LaunchTemplateName", name, .flags = BY_NAME, .kind = KIND_LAUNCH_TEMPLATE,
	  .max = LAUNCH_TEMPLATE_NAME_MAX, .doc = "Launch template by name, instead of its id."),
	P("LaunchTemplateVersion", versions, .flags = REQUIRED, .max = VERSION_TEXT_MAX,
	  .doc = "Version numbers, up to 200."),
};
#undef P

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_versions *a = args;
	int64_t *numbers = arena_new_array(e->c->arena, int64_t, a->versions.count + 1);
	if (!numbers)
		return ctx_no_memory(e->c);
	TRY(request_choose(e->c, &a->wish.launch_template, "LaunchTemplateId", &a->name, "LaunchTemplateName",
			   &a->wish.launch_template));
	if (a->versions.count > VERSIONS_NAMED_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("LaunchTemplateVersion"),
				      "Up to %d versions may be named in LaunchTemplateVersion",
				      VERSIONS_NAMED_MAX);
	for (size_t k = 0; k < a->versions.count; k++)
		if (!result_is_ok(str_parse_int(a->versions.at[k], &numbers[k])) || numbers[k] < 1)
			return ctx_fail_field(e->c, ERR_INVALID, STR("LaunchTemplateVersion"),
					      "Value (%" STR_FMT ") for parameter launchTemplateVersion is "
					      "invalid. It must be a number.",
					      STR_ARG(a->versions.at[k]));
	a->wish.numbers = numbers;
	a->wish.count = a->versions.count;
	return OK;
}

static void write_removal(struct xml *x, const struct launch_template_removals *wish,
			  const struct launch_template_removal *removal)
{
	bool is_absent = removal->what == REMOVAL_ABSENT;
	xml_open(x, "item");
	ec2_write_id(x, "launchTemplateId", KIND_LAUNCH_TEMPLATE, wish->id);
	xml_text(x, "launchTemplateName", wish->name);
	xml_int(x, "versionNumber", removal->number);
	if (removal->what != REMOVAL_DONE) {
		xml_open(x, "responseError");
		xml_z(x, "code", is_absent ? "launchTemplateVersionDoesNotExist" : "unexpectedError");
		xml_z(x, "message",
		      is_absent ? "The launch template version does not exist."
				: "The default version of a launch template cannot be deleted.");
		xml_close(x, "responseError");
	}
	xml_close(x, "item");
}

static RESULT ec2_delete_launch_template_versions(struct ec2_call *e, const void *args, struct xml *x)
{
	static const char *const sets[] = {"successfullyDeletedLaunchTemplateVersionSet",
					   "unsuccessfullyDeletedLaunchTemplateVersionSet"};
	const struct ec2_delete_versions *a = args;
	(void) e;
	for (size_t set = 0; set < 2; set++) {
		xml_open(x, sets[set]);
		for (size_t k = 0; k < a->wish.count; k++)
			if ((a->wish.removals[k].what != REMOVAL_DONE) == (set == 1))
				write_removal(x, &a->wish, &a->wish.removals[k]);
		xml_close(x, sets[set]);
	}
	return OK;
}

/* ---- data of an instance ---- */

struct ec2_get_launch_data {
	struct ref instance;
};
static const struct param get_params[] = {
	PARAM(struct ec2_get_launch_data, "InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "The instance."),
};

struct said {
	struct arena *arena;
	VEC(struct pair) pairs;
};

__attribute__((format(printf, 3, 4))) static void say(struct said *s, struct str value, const char *format,
						      ...)
{
	char name[128];
	va_list args;
	va_start(args, format);
	vsnprintf(name, sizeof name, format, args);
	va_end(args);
	struct pair pair = {str_copy(s->arena, str_from(name)), value};
	if (value.n)
		(void) VEC_PUSH(s->arena, &s->pairs, pair); /* a full arena is noticed at the end */
}

static struct str word_of(bool is_so, const char *yes, const char *no)
{
	return str_from(is_so ? yes : no);
}

static struct str text_of(struct said *s, int64_t number)
{
	return str_print(s->arena, "%" PRId64, number);
}

static void say_disks(struct said *s, const struct tables *t, const struct instance *i)
{
	struct volume_list volumes = {0};
	IGNORE(engine_list_disks(s->arena, t, i->row.id, true, &volumes));
	for (size_t k = 0; k < volumes.count; k++) {
		const struct volume *v = volumes.at[k];
		unsigned n = (unsigned) k + 1;
		say(s, v->device, "BlockDeviceMapping.%u.DeviceName", n);
		say(s, word_of(v->delete_on_termination, "true", "false"),
		    "BlockDeviceMapping.%u.Ebs.DeleteOnTermination", n);
		if (v->is_encrypted)
			say(s, STR("true"), "BlockDeviceMapping.%u.Ebs.Encrypted", n);
		say(s, v->type, "BlockDeviceMapping.%u.Ebs.VolumeType", n);
		say(s, text_of(s, ec2_gib(v->size)), "BlockDeviceMapping.%u.Ebs.VolumeSize", n);
		if (!uuid_is_none(v->snapshot))
			say(s, id_to_ec2(s->arena, KIND_SNAPSHOT, v->snapshot),
			    "BlockDeviceMapping.%u.Ebs.SnapshotId", n);
	}
}

static void say_interfaces(struct said *s, const struct tables *t, const struct instance *i)
{
	const struct ec2_ports ports = ec2_list_ports(s->arena, t, i->row.id);
	for (size_t k = 0; k < ports.count; k++) {
		const struct port *p = ports.at[k];
		unsigned n = (unsigned) k + 1;
		say(s, word_of(p->delete_on_termination, "true", "false"),
		    "NetworkInterface.%u.DeleteOnTermination", n);
		say(s, p->description, "NetworkInterface.%u.Description", n);
		say(s, text_of(s, p->device_index), "NetworkInterface.%u.DeviceIndex", n);
		for (size_t g = 0; g < p->groups.count; g++)
			say(s, id_to_ec2(s->arena, KIND_SECURITY_GROUP, p->groups.at[g]),
			    "NetworkInterface.%u.SecurityGroupId.%u", n, (unsigned) g + 1);
		say(s, id_to_ec2(s->arena, KIND_SUBNET, p->subnet), "NetworkInterface.%u.SubnetId", n);
	}
}

static void say_tags(struct said *s, const struct tags *tags)
{
	unsigned n = 0;
	for (size_t k = 0; k < tags->count; k++) {
		if (str_starts_with(tags->at[k].key, STR("aws:")))
			continue;
		if (n++ == 0)
			say(s, STR("instance"), "TagSpecification.1.ResourceType");
		say(s, tags->at[k].key, "TagSpecification.1.Tag.%u.Key", n);
		say(s, tags->at[k].value, "TagSpecification.1.Tag.%u.Value", n);
	}
}

/* Adds the parameters in sorted order, as far as they share a prefix. */
static void say_instance(struct said *s, const struct tables *t, const struct instance *row)
{
	const struct instance_type *type = instance_type_find(t, row->type);
	const struct zone *zone = zone_find(t, row->zone);
	const struct server_group *group = server_group_find(t, row->server_group);
	say_disks(s, t, row);
	if (type && type->burstable)
		say(s, word_of(row->unlimited_credits, "unlimited", "standard"),
		    "CreditSpecification.CpuCredits");
	say(s, word_of(row->protect_stop, "true", "false"), "DisableApiStop");
	say(s, word_of(row->protect_terminate, "true", "false"), "DisableApiTermination");
	say(s, word_of(row->ebs_optimized, "true", "false"), "EbsOptimized");
	if (!uuid_is_none(row->image))
		say(s, id_to_ec2(s->arena, KIND_IMAGE, row->image), "ImageId");
	say(s, word_of(row->shutdown_terminates, "terminate", "stop"), "InstanceInitiatedShutdownBehavior");
	if (type)
		say(s, type->name, "InstanceType");
	say(s, row->key_name, "KeyName");
	say(s, str_from(instance_recovery_words[row->recovery]), "MaintenanceOptions.AutoRecovery");
	say(s, word_of(row->metadata_enabled, "enabled", "disabled"), "MetadataOptions.HttpEndpoint");
	say(s, text_of(s, row->metadata_hop_limit), "MetadataOptions.HttpPutResponseHopLimit");
	say(s, word_of(row->metadata_tokens_required, "required", "optional"), "MetadataOptions.HttpTokens");
	say(s, word_of(row->metadata_tags, "enabled", "disabled"), "MetadataOptions.InstanceMetadataTags");
	say(s, word_of(row->monitoring, "true", "false"), "Monitoring.Enabled");
	say_interfaces(s, t, row);
	if (row->tenancy == INSTANCE_TENANCY_HOST)
		say(s, word_of(row->host_affinity, "host", "default"), "Placement.Affinity");
	if (zone)
		say(s, zone->name, "Placement.AvailabilityZone");
	if (group)
		say(s, group->name, "Placement.GroupName");
	if (!uuid_is_none(row->dedicated_host))
		say(s, id_to_ec2(s->arena, KIND_DEDICATED_HOST, row->dedicated_host), "Placement.HostId");
	if (row->partition)
		say(s, text_of(s, row->partition), "Placement.PartitionNumber");
	if (row->tenancy != INSTANCE_TENANCY_DEFAULT)
		say(s, str_from(instance_tenancy_words[row->tenancy]), "Placement.Tenancy");
	say_tags(s, &row->tags);
	if (row->user_data.n)
		say(s, str_encode_base64(s->arena, row->user_data), "UserData");
}

static RESULT ec2_get_launch_template_data(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_get_launch_data *a = args;
	const struct instance *instance = 0;
	struct said said = {.arena = e->c->arena};
	TRY(engine_find_own_instance(e->c, ec2_tables(e), &a->instance, &instance));
	if (!row_is_live(&instance->row))
		return engine_fail_not_found(e->c, KIND_INSTANCE, &a->instance);
	say_instance(&said, ec2_tables(e), instance);
	if (arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	const struct pairs pairs = {said.pairs.at, said.pairs.count};
	ec2_write_launch_data(e, x, "launchTemplateData", &pairs);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeLaunchTemplateVersions"),
	 .args = PARAMS(struct ec2_describe_versions, describe_params), .prepare = prepare_describe,
	 .list = &version_listing, .doc = "Lists the versions of one launch template, or of all templates."},
	{EC2_ACTION("CreateLaunchTemplateVersion"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_version, create_params), .prepare = prepare_create,
	 EC2_DIGEST(struct ec2_create_version), .operation = engine_create_launch_template_version_run,
	 EC2_SHOWS(version_listing, struct ec2_create_version, wish.version, "launchTemplateVersion"),
	 .returns = KIND_LAUNCH_TEMPLATE_VERSION, .doc = "Creates the next version of a launch template."},
	{EC2_ACTION("DeleteLaunchTemplateVersions"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_versions, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_launch_template_versions_run,
	 .answer = ec2_delete_launch_template_versions,
	 .doc = "Deletes versions other than the default one. The answer reports each version."},
	{EC2_ACTION("GetLaunchTemplateData"), .args = PARAMS(struct ec2_get_launch_data, get_params),
	 .answer = ec2_get_launch_template_data,
	 .doc = "Returns launch template data that would reproduce an instance."},
};
const struct api_actions ec2_launch_version_actions = API_ACTIONS(actions);
