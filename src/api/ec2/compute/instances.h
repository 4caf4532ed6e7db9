/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: writes instances for DescribeInstances and RunInstances. */
#pragma once

#include "api/ec2/compute/iam_instance_profiles.h"
#include "api/ec2/network/network_interfaces.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/instance_words.h"
#include "model/states.h"

struct instance;
struct port;

enum { EC2_USER_DATA_MAX = 16 * 1024 }; /* bytes, decoded */

/* The interfaces of an instance, the primary one first; those that are being detached come last. A full arena fails the call
 * when its answer ends. */
struct ec2_ports {
	const struct port *const *at;
	size_t count;
};
struct ec2_ports ec2_list_ports(struct arena *a, const struct tables *t, uuid instance);

/* Without the reservation around. */
extern const struct ec2_listing ec2_instance_listing;

/* Code and name of its state; the filter by the code. */
extern const struct attributes ec2_instance_state_members;
bool ec2_has_state_code(const struct filter_run *f, unsigned state);

/* A word of EC2's, which is one of them. */
enum instance_tenancy ec2_read_tenancy(struct str word);

/* A fleet's launch, as RunInstances' own parameters say it, by their names; SubnetId is that of the template's primary
 * interface, if there is one without. What is at fault is a problem of the context. */
struct instance_launch;
RESULT ec2_read_launch(struct ec2_call *e, const struct pairs *said, struct instance_launch *ret_launch);

/* A status check of the instance fails (DescribeInstanceStatus). */
bool ec2_is_impaired(const struct tables *t, const struct instance *instance);

struct fleet;
struct fleet_override;

/* Parameters of a launch that are put together, instead of sent. */
struct ec2_said {
	VEC(struct pair) pairs;
	bool has_failed; /* no memory */
};
/* Leaves an empty value out. */
void ec2_say(struct ec2_call *e, struct ec2_said *s, struct str name, struct str value);
/* Error code and message of the context's problem, as the face words them. arg: the call. */
void ec2_tell_problem(void *arg, struct result result, struct str *ret_code, struct str *ret_message);
/* The launches that the source of a scaling group says, as in engine/scaling/scaling.h. One whose parameters are refused
 * says so itself. */
struct scaling_group;
struct scaling_source;
RESULT ec2_read_scaling_launches(struct ec2_call *e, const struct scaling_source *source,
				 struct fleet_override **ret_launches, size_t *ret_count);
/* Adds the tags that the group's new instances get. */
RESULT ec2_add_scaling_tags(struct ec2_call *e, const struct scaling_group *group,
			    struct instance_launch *launch);

/* The launches that the configurations of a fleet say. An override whose parameters are refused says so itself. */
RESULT ec2_read_fleet_overrides(struct ec2_call *e, const struct fleet *fleet,
				struct fleet_override **ret_overrides, size_t *ret_count);

/* <blockDeviceMapping>, and the metadata options: those that a change sets are pending in its answer. */
extern const struct attributes ec2_instance_devices, ec2_metadata_members;
/* <name><code/><name/></name> */
void ec2_write_state(struct xml *x, const char *name, enum instance_state state);
