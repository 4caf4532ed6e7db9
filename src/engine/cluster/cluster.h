/* SPDX-License-Identifier: Apache-2.0
 * Kubernetes clusters made from a template: a VPC (or given subnets), security groups, a network load balancer for the API,
 * machines of the control plane, and a scaling group of workers. User data for kubeadm makes a cluster of them
 * (cluster_user_data.c); Dari never talks to the guests.
 *
 * One change makes all rows, so that no kill leaves a part of a cluster. The deletion takes several turns, because hosts
 * need time to end machines: reconcile/cluster.c asks for turns until the last part is gone (cluster_follow.c). Parts are
 * ordinary resources of the account: an instance, a group or a template may be looked at and changed in every face. */
#pragma once

#include "engine/operation.h"

struct cluster;

enum {
	CLUSTERS_MAX = 20, /* per account */
	CLUSTER_WORKERS_MAX = 100,
	CLUSTER_NAME_MAX = 28, /* a load balancer's name has 32 characters, of which "-api" takes four */
	CLUSTER_SUBNETS_MAX = 8,
	CLUSTER_ZONES_MAX = 3, /* zones in which a cluster's own VPC has a subnet */
	CLUSTER_SOURCES_MAX = 20,
	CLUSTER_MANIFESTS_MAX = 8,
	CLUSTER_MACHINES_MAX = 3, /* machines of the control plane */
	CLUSTER_PORT = 6443,      /* port of the API */
	CLUSTER_KEY_HOURS_MAX = 8760
};

/* Tag of an image, and property in Glance, with the version of kubeadm on it. */
#define CLUSTER_IMAGE_TAG STR("kubernetes-version")
#define CLUSTER_IMAGE_PROPERTY STR("kubernetes_version")

/* Certificates and keys in PEM, drawn by the face: key generation is too slow for the committer. */
struct cluster_keys {
	struct str ca_cert, ca_key;
	struct str ca_digest; /* SHA-256 of the authority's public key (SubjectPublicKeyInfo), in hex */
	struct str sealed_ca_key;
	/* Shared by several machines of the control plane; empty: kubeadm makes them on the only one. */
	struct str etcd_cert, etcd_key, front_cert, front_key, account_key, account_public;
	struct str token; /* bootstrap token, "abcdef.0123456789abcdef" */
};

struct cluster_wish {
	uuid cluster;       /* drawn by the caller: the authority's key is sealed to it */
	struct ref account; /* owner, for administrators; kind none: the caller's */
	struct str name, version;
	struct ref image; /* kind none: the newest one with the tag CLUSTER_IMAGE_TAG */
	struct ref control_type, worker_type;
	int64_t control_count, workers;
	struct refs subnets; /* none: a VPC with the block `network` is made */
	struct cidr network; /* none if there are subnets */
	struct cidr pod_block, service_block;
	struct strs sources; /* blocks that reach the API; none: all */
	bool is_internal;
	struct ref key_pair, profile; /* kind none: none */
	struct str registry, packages, packages_key;
	struct strs manifests;
	struct cluster_keys keys;
	struct str endpoint,
		region; /* URL of the region's API and its name, for the cloud controller manager */
};
/* ERR_INVALID names the field. ERR_EXISTS: the account has a cluster, or a part of one, with that name. ERR_QUOTA;
 * ERR_CAPACITY: no host has room for the control plane, or no public address is left. */
OPERATION(engine_create_cluster, cluster_wish)

struct cluster_scaling {
	struct ref cluster;
	int64_t workers;
};
/* ERR_STATE: the cluster is being deleted, or its scaling group is gone. */
OPERATION(engine_scale_cluster, cluster_scaling)

struct cluster_target {
	struct ref cluster;
};
/* Begins the deletion. A policy that denies the deletion of a part denies it, too. */
OPERATION(engine_delete_cluster, cluster_target)

/* Records that the caller gets a client certificate of the cluster's administrators. ERR_STATE: it is being deleted. */
struct cluster_key_wish {
	struct ref cluster;
	int64_t hours;
};
OPERATION(engine_note_cluster_key, cluster_key_wish)

/* ---- look-ups ---- */

/* The n-th machine: first those of the control plane, then the workers. NULL: there are fewer. */
const struct instance *engine_get_cluster_machine(const struct tables *t, const struct cluster *cluster,
						  size_t n, bool *ret_is_worker);

/* ---- for the reconciler ---- */

/* True if engine_follow_cluster() would change something. */
bool engine_has_cluster_turn(const struct tables *t, const struct cluster *cluster, int64_t now_us);
/* Takes the next turn: follows the machines' states, or deletes parts. */
struct cluster_following {
	uuid cluster;
};
SYSTEM_OPERATION(engine_follow_cluster, cluster_following)
