/* SPDX-License-Identifier: Apache-2.0
 * Launch configurations, which older tools use instead of launch templates. They are kept as EC2's parameters of a launch, and
 * read when a group launches. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "api/autoscaling/source.h"
#include "base/buf.h"
#include "engine/resolve.h"
#include "store/launch_configuration.h"

enum { DISKS_MAX = 40, DISK_MAX_GIB = 16384, FORM_BYTES = 65536, USER_DATA_MAX = 21847 };

/* ---- parameters ---- */

struct disk_args {
	struct str device, virtual, snapshot, type;
	int64_t size, iops, throughput;
	enum choice ends, encrypted;
	bool omits;
};
static const struct param disk_rows[] = {
	PARAM(struct disk_args, "DeviceName", device, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Device name."),
	PARAM(struct disk_args, "VirtualName", virtual, .min = 1, .max = 255,
	      .doc = "Instance store volume, ephemeralN."),
	PARAM(struct disk_args, "NoDevice", omits, .doc = "Removes the image's device."),
	PARAM(struct disk_args, "Ebs.SnapshotId", snapshot, .min = 1, .max = 255,
	      .doc = "Snapshot that the disk is created from."),
	PARAM(struct disk_args, "Ebs.VolumeSize", size, .min = 1, .max = DISK_MAX_GIB, .doc = "Size in GiB."),
	PARAM(struct disk_args, "Ebs.VolumeType", type, .min = 1, .max = 255, .doc = "Volume type."),
	PARAM(struct disk_args, "Ebs.Iops", iops, .min = 100, .max = 20000, .doc = "IOPS limit of the disk."),
	PARAM(struct disk_args, "Ebs.Throughput", throughput, .min = 1, .max = 1000,
	      .doc = "Throughput limit of the disk in MiB/s."),
	PARAM(struct disk_args, "Ebs.DeleteOnTermination", ends,
	      .doc = "Whether the disk is deleted with its instance."),
	PARAM(struct disk_args, "Ebs.Encrypted", encrypted, .doc = "Whether the disk is encrypted."),
};
static const struct params disk_table = PARAMS(struct disk_args, disk_rows);

struct create_args {
	struct launch_configuration_wish wish;
	struct str image, key, user_data, type, price, profile, tenancy, tokens, endpoint, instance;
	struct strs groups;
	enum choice monitors, optimized, public_ip;
	int64_t hops;
	struct {
		const struct disk_args *at;
		size_t count;
	} disks;
};
#define P(wire, member, ...) PARAM(struct create_args, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	AUTOSCALING_NAME(struct create_args, "LaunchConfigurationName", wish.name, .flags = REQUIRED,
			 .doc = "Name of the launch configuration; unique in the account."),
	P("ImageId", image, .min = 1, .max = 255, .doc = "Image; required."),
	P("InstanceType", type, .min = 1, .max = 255, .doc = "Instance type; required."),
	P("KeyName", key, .max = 255, .doc = "Key pair by name."),
	P("SecurityGroups.member", groups, .min = 1, .max = 255, .doc = "Security groups by id."),
	P("UserData", user_data, .max = USER_DATA_MAX, .doc = "User data, base64."),
	PARAM_LIST(struct create_args, "BlockDeviceMappings.member", disks, disk_table, .max = DISKS_MAX,
		   .doc = "Disks."),
	P("InstanceMonitoring.Enabled", monitors, .doc = "Detailed monitoring; absent: true."),
	P("SpotPrice", price, .min = 1, .max = 255,
	  .doc = "Maximum price per hour of spot instances; absent: on-demand."),
	P("IamInstanceProfile", profile, .min = 1, .max = AUTOSCALING_ARN_MAX,
	  .doc = "Instance profile by name or ARN."),
	P("EbsOptimized", optimized, .doc = "Stored and shown; has no effect."),
	P("AssociatePublicIpAddress", public_ip,
	  .doc = "Whether instances get a public address; absent: the subnet's setting."),
	P("PlacementTenancy", tenancy, .words = "default|dedicated", .doc = "Tenancy of the instances."),
	P("MetadataOptions.HttpTokens", tokens, .words = "optional|required",
	  .doc = "required: instance metadata requires a session token (IMDSv2)."),
	P("MetadataOptions.HttpEndpoint", endpoint, .words = "enabled|disabled",
	  .doc = "Whether the instance metadata service is enabled."),
	P("MetadataOptions.HttpPutResponseHopLimit", hops, .min = 1, .max = 64,
	  .doc = "Maximum number of hops (IP TTL) of an answer with a session token."),
	P("InstanceId", instance, .min = 1, .max = 255,
	  .doc = "An instance, from which absent parameters but the disks are taken."),
	NOT_BUILT("ClassicLinkVPCId|ClassicLinkVPCSecurityGroups|KernelId|RamdiskId"),
};
#undef P

/* ---- as EC2's parameters ---- */

static void say(struct autoscaling_call *e, struct buf *form, struct str name, struct str value)
{
	if (!value.n)
		return;
	if (buf_str(form).n)
		buf_add_char(form, '&');
	buf_add_str(form, str_encode_url(e->c->arena, name, false));
	buf_add_char(form, '=');
	buf_add_str(form, str_encode_url(e->c->arena, value, false));
}

static void say_choice(struct autoscaling_call *e, struct buf *form, const char *name, enum choice choice)
{
	if (choice != CHOICE_DEFAULT)
		say(e, form, str_from(name), choice == CHOICE_YES ? STR("true") : STR("false"));
}

static struct str write_number(struct autoscaling_call *e, int64_t number)
{
	return number ? str_print(e->c->arena, "%lld", (long long) number) : STR_NONE;
}

static void say_disk(struct autoscaling_call *e, struct buf *form, size_t number, const struct disk_args *d)
{
	struct arena *a = e->c->arena;
	struct str prefix = str_print(a, "BlockDeviceMapping.%zu.", number);
	const struct pair pairs[] = {
		{STR("DeviceName"), d->device},
		{STR("VirtualName"), d->virtual},
		{STR("Ebs.SnapshotId"), d->snapshot},
		{STR("Ebs.VolumeSize"), write_number(e, d->size)},
		{STR("Ebs.VolumeType"), d->type},
		{STR("Ebs.Iops"), write_number(e, d->iops)},
		{STR("Ebs.Throughput"), write_number(e, d->throughput)},
		{STR("Ebs.DeleteOnTermination"), d->ends == CHOICE_DEFAULT ? STR_NONE
						 : d->ends == CHOICE_YES   ? STR("true")
									   : STR("false")},
		{STR("Ebs.Encrypted"), d->encrypted == CHOICE_DEFAULT ? STR_NONE
				       : d->encrypted == CHOICE_YES   ? STR("true")
								      : STR("false")},
	};
	for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
		say(e, form, str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(prefix), STR_ARG(pairs[k].name)),
		    pairs[k].value);
	if (d->omits)
		buf_add_str(form, str_print(a, "&%" STR_FMT "NoDevice=", STR_ARG(prefix)));
}

/* Groups and a public address are those of the interface, if one of them needs it. */
static void say_network(struct autoscaling_call *e, struct buf *form, const struct create_args *a)
{
	bool has_interface = a->public_ip != CHOICE_DEFAULT;
	for (size_t k = 0; k < a->groups.count; k++)
		say(e, form,
		    str_print(e->c->arena, "%sSecurityGroupId.%zu",
			      has_interface ? "NetworkInterface.1." : "", k + 1),
		    a->groups.at[k]);
	if (!has_interface)
		return;
	say(e, form, STR("NetworkInterface.1.DeviceIndex"), STR("0"));
	say_choice(e, form, "NetworkInterface.1.AssociatePublicIpAddress", a->public_ip);
}

static void say_all(struct autoscaling_call *e, struct buf *form, const struct create_args *a)
{
	bool is_arn = str_starts_with(a->profile, STR("arn:"));
	say(e, form, STR("ImageId"), a->image);
	say(e, form, STR("InstanceType"), a->type);
	say(e, form, STR("KeyName"), a->key);
	say(e, form, STR("UserData"), a->user_data);
	say(e, form, is_arn ? STR("IamInstanceProfile.Arn") : STR("IamInstanceProfile.Name"), a->profile);
	say(e, form, STR("Placement.Tenancy"), a->tenancy);
	say_choice(e, form, "Monitoring.Enabled", a->monitors == CHOICE_NO ? CHOICE_NO : CHOICE_YES);
	say_choice(e, form, "EbsOptimized", a->optimized);
	say(e, form, STR("MetadataOptions.HttpTokens"), a->tokens);
	say(e, form, STR("MetadataOptions.HttpEndpoint"), a->endpoint);
	say(e, form, STR("MetadataOptions.HttpPutResponseHopLimit"), write_number(e, a->hops));
	if (a->price.n) {
		say(e, form, STR("InstanceMarketOptions.MarketType"), STR("spot"));
		say(e, form, STR("InstanceMarketOptions.SpotOptions.MaxPrice"), a->price);
	}
	say_network(e, form, a);
	for (size_t k = 0; k < a->disks.count; k++)
		say_disk(e, form, k + 1, &a->disks.at[k]);
}

static RESULT take_form(struct autoscaling_call *e, struct buf *form, struct str *ret_text)
{
	struct result result = buf_finish(form);
	*ret_text = str_copy(e->c->arena, buf_str(form));
	buf_done(form);
	if (!result_is_ok(result))
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("UserData"),
				      "The launch configuration says too much.");
	return ret_text->p ? OK : ctx_no_memory(e->c);
}

/* The parameters as a form, which shows them again, sorted. */
static RESULT keep_sent(struct autoscaling_call *e, const struct pairs *pairs, struct str *ret_form)
{
	static const char *const others[] = {"Action", "Version", "InstanceId"};
	struct buf form;
	buf_init(&form, FORM_BYTES);
	for (size_t k = 0; k < pairs->count; k++) {
		bool is_other = false;
		for (size_t n = 0; n < sizeof others / sizeof others[0]; n++)
			is_other |= str_is(pairs->at[k].name, others[n]);
		if (!is_other)
			say(e, &form, pairs->at[k].name, pairs->at[k].value);
	}
	return take_form(e, &form, ret_form);
}

RESULT autoscaling_make_configuration(struct autoscaling_call *e, const struct pairs *pairs,
				      struct launch_configuration_wish *wish)
{
	static const struct params table = PARAMS(struct create_args, create_params);
	struct create_args a = {0};
	struct pairs sorted = {0};
	struct buf form;
	TRY(keep_sent(e, pairs, &wish->sent));
	TRY(request_parse(e->c, STR_NONE, wish->sent, &sorted));
	TRY(request_read(e->c, &request_sts_dialect, &table, 0, &sorted, &a));
	if (!a.image.n || !a.type.n)
		return ctx_fail_field(
			e->c, ERR_MISSING, a.image.n ? STR("InstanceType") : STR("ImageId"),
			"Valid requests must contain either the InstanceID parameter or both the "
			"ImageId and InstanceType parameters.");
	buf_init(&form, FORM_BYTES);
	say_all(e, &form, &a);
	return take_form(e, &form, &wish->data);
}

static RESULT prepare_create(struct autoscaling_call *e, void *args)
{
	struct create_args *a = args;
	struct pairs pairs = e->pairs;
	TRY(autoscaling_check_name(e, a->wish.name, "LaunchConfigurationName"));
	if (a->instance.n)
		TRY(autoscaling_read_instance(e, a->instance, &e->pairs, &pairs));
	return autoscaling_make_configuration(e, &pairs, &a->wish);
}

/* ---- delete ---- */

struct delete_args {
	struct launch_configuration_target wish;
	struct str name;
};
static const struct param delete_params[] = {
	AUTOSCALING_NAME(struct delete_args, "LaunchConfigurationName", name, .flags = REQUIRED,
			 .doc = "The launch configuration."),
};

static RESULT prepare_delete(struct autoscaling_call *e, void *args)
{
	struct delete_args *a = args;
	const struct launch_configuration *c =
		launch_configuration_find_by_account(autoscaling_tables(e), e->c->who->account, a->name);
	a->wish.configuration = ref_by_id(KIND_LAUNCH_CONFIGURATION, c ? c->row.id : UUID_NONE);
	a->wish.configuration.text = a->name;
	a->wish.configuration.field = STR("LaunchConfigurationName");
	return c && c->dialect == LAUNCH_CONFIGURATION_DIALECT_EC2
		       ? OK
		       : ctx_fail_field(e->c, ERR_NOT_FOUND, a->wish.configuration.field,
					"Launch configuration name not found - Launch configuration %" STR_FMT
					" not found",
					STR_ARG(a->name));
}

/* ---- list ---- */

struct list_args {
	struct strs names;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "LaunchConfigurationNames.member", names, .min = 1, .max = SCALING_NAME_MAX,
	      .doc = "Launch configurations by name."),
	AUTOSCALING_PAGES(struct list_args, pages),
};

static void write_choice(struct xml *x, const char *name, enum choice choice)
{
	if (choice != CHOICE_DEFAULT)
		xml_bool(x, name, choice == CHOICE_YES);
}

static void write_count(struct xml *x, const char *name, int64_t number)
{
	if (number)
		xml_int(x, name, number);
}

static void write_disk(struct xml *x, const struct disk_args *d)
{
	bool has_ebs = d->snapshot.n || d->size || d->type.n || d->iops || d->throughput ||
		       d->ends != CHOICE_DEFAULT || d->encrypted != CHOICE_DEFAULT;
	xml_open(x, "member");
	xml_text_opt(x, "VirtualName", d->virtual);
	xml_text(x, "DeviceName", d->device);
	if (d->omits)
		xml_bool(x, "NoDevice", true);
	if (has_ebs) {
		xml_open(x, "Ebs");
		xml_text_opt(x, "SnapshotId", d->snapshot);
		write_count(x, "VolumeSize", d->size);
		xml_text_opt(x, "VolumeType", d->type);
		write_choice(x, "DeleteOnTermination", d->ends);
		write_count(x, "Iops", d->iops);
		write_choice(x, "Encrypted", d->encrypted);
		write_count(x, "Throughput", d->throughput);
		xml_close(x, "Ebs");
	}
	xml_close(x, "member");
}

static void write_metadata(struct xml *x, const struct create_args *a)
{
	if (!a->tokens.n && !a->endpoint.n && !a->hops)
		return;
	xml_open(x, "MetadataOptions");
	xml_text_opt(x, "HttpTokens", a->tokens);
	write_count(x, "HttpPutResponseHopLimit", a->hops);
	xml_text_opt(x, "HttpEndpoint", a->endpoint);
	xml_close(x, "MetadataOptions");
}

/* Reads the stored request again by the table of the creation. */
static RESULT write_configuration(struct autoscaling_call *e, struct xml *x,
				  const struct launch_configuration *c)
{
	static const struct params table = PARAMS(struct create_args, create_params);
	struct create_args a = {0};
	struct pairs pairs = {0};
	TRY(request_parse(e->c, STR_NONE, c->sent, &pairs));
	TRY(request_read(e->c, &request_sts_dialect, &table, 0, &pairs, &a));
	xml_open(x, "member");
	xml_text(x, "LaunchConfigurationName", c->name);
	xml_text(x, "LaunchConfigurationARN", autoscaling_arn(e, KIND_LAUNCH_CONFIGURATION, &c->row));
	xml_text(x, "ImageId", a.image);
	xml_text(x, "KeyName", a.key);
	autoscaling_write_texts(x, "SecurityGroups", &a.groups);
	xml_empty(x, "ClassicLinkVPCSecurityGroups");
	xml_text(x, "UserData", a.user_data);
	xml_text(x, "InstanceType", a.type);
	xml_text(x, "KernelId", STR(""));
	xml_text(x, "RamdiskId", STR(""));
	xml_open(x, "BlockDeviceMappings");
	for (size_t k = 0; k < a.disks.count; k++)
		write_disk(x, &a.disks.at[k]);
	xml_close(x, "BlockDeviceMappings");
	xml_open(x, "InstanceMonitoring");
	xml_bool(x, "Enabled", a.monitors != CHOICE_NO);
	xml_close(x, "InstanceMonitoring");
	xml_text_opt(x, "SpotPrice", a.price);
	xml_text_opt(x, "IamInstanceProfile", a.profile);
	xml_time_ms(x, "CreatedTime", c->row.created_us);
	xml_bool(x, "EbsOptimized", a.optimized == CHOICE_YES);
	write_choice(x, "AssociatePublicIpAddress", a.public_ip);
	xml_text_opt(x, "PlacementTenancy", a.tenancy);
	write_metadata(x, &a);
	xml_close(x, "member");
	return OK;
}

static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	xml_open(x, "LaunchConfigurations");
	for (const struct launch_configuration *c =
		     launch_configuration_first_by_account(t, e->c->who->account);
	     c && !page.is_cut; c = launch_configuration_next_by_account(t, c)) {
		if (c->dialect != LAUNCH_CONFIGURATION_DIALECT_EC2 || !request_asks_for(a->names, c->name) ||
		    !query_page_takes(&page, c->name))
			continue;
		TRY(engine_check_found(e->c, t, KIND_LAUNCH_CONFIGURATION, &c->row));
		TRY(write_configuration(e, x, c));
	}
	xml_close(x, "LaunchConfigurations");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("CreateLaunchConfiguration"), .flags = API_WRITES,
	 .args = PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_launch_configuration_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates a launch configuration."},
	{AUTOSCALING_ACTION("DeleteLaunchConfiguration"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_launch_configuration_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a launch configuration that no group uses."},
	{AUTOSCALING_ACTION("DescribeLaunchConfigurations"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the account's launch configurations."},
};
const struct api_actions autoscaling_configuration_actions = API_ACTIONS(actions);
