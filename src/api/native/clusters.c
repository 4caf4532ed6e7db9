/* SPDX-License-Identifier: Apache-2.0
 * Kubernetes clusters: creation with fresh keys, scaling, deletion, and kubeconfigs. The engine makes the parts
 * (engine/cluster/); keys and certificates are made here, on an HTTP thread. */
#include "api/native/write.h"

#include "auth/key/key.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_issue.h"
#include "base/random.h"
#include "engine/cluster/cluster.h"
#include "model/states.h"
#include "store/cluster.h"
#include "store/instance.h"
#include "store/port.h"

/* Validity of kubeadm's own authorities, too. */
#define AUTHORITY_VALID_US (3650 * 24 * HOUR)
/* Group that kubeadm binds to cluster-admin. Unlike system:masters, removing the binding takes its rights away. */
#define ADMIN_GROUP STR("kubeadm:cluster-admins")
enum { TOKEN_ID_SIZE = 6, TOKEN_SECRET_SIZE = 16, KUBECONFIG_MAX = 32 * 1024, USER_NAME_MAX = 48 };

/* ---- creation ---- */

#define C(name, member, ...) PARAM(struct cluster_wish, name, member, __VA_ARGS__)
static const struct param create_params[] = {
	C("name", name, .min = 1, .max = CLUSTER_NAME_MAX, .flags = REQUIRED,
	  .doc = "Name; unique in the account: lower-case letters, digits and '-'."),
	C("account", account, .kind = KIND_ACCOUNT, .flags = BY_NAME,
	  .doc = "Owning account; for administrators."),
	C("version", version, .max = 16,
	  .doc = "Version of Kubernetes, such as 1.37.2; absent: that of the image's tag "
		 "kubernetes-version."),
	C("image", image, .kind = KIND_IMAGE,
	  .doc = "Image of the machines, with cloud-init, containerd and kubeadm; absent: the newest one "
		 "with the tag "
		 "kubernetes-version."),
	C("control_type", control_type, .kind = KIND_INSTANCE_TYPE, .flags = BY_NAME, .absent = "t3.medium",
	  .doc = "Instance type of the control plane; absent: t3.medium."),
	C("worker_type", worker_type, .kind = KIND_INSTANCE_TYPE, .flags = BY_NAME, .absent = "t3.medium",
	  .doc = "Instance type of the workers; absent: t3.medium."),
	C("control_count", control_count, .min = 1, .max = CLUSTER_MACHINES_MAX, .absent = "1",
	  .doc = "Machines of the control plane, 1 or 3; absent: 1."),
	C("workers", workers, .min = 0, .max = CLUSTER_WORKERS_MAX, .absent = "1",
	  .doc = "Number of workers; absent: 1."),
	C("subnets", subnets, .kind = KIND_SUBNET, .max = CLUSTER_SUBNETS_MAX,
	  .doc = "Subnets of a VPC, each in another zone; absent: a VPC is made for the cluster."),
	C("network", network,
	  .doc = "Block of that new VPC, from /16 to /24; absent: 10.30.0.0/16. Refused with subnets."),
	C("pod_network", pod_block, .doc = "Block of the pods; absent: 10.244.0.0/16."),
	C("service_network", service_block, .doc = "Block of the Services; absent: 10.96.0.0/12."),
	C("sources", sources, .max = 64,
	  .doc = "Blocks of clients that reach the API, such as 192.0.2.0/24; absent: all."),
	C("is_internal", is_internal, .doc = "Gives the API a private address only."),
	C("key_pair", key_pair, .kind = KIND_KEY_PAIR, .flags = BY_NAME,
	  .doc = "Key pair for SSH to the machines; absent: none."),
	C("profile", profile, .kind = KIND_INSTANCE_PROFILE, .flags = BY_NAME,
	  .doc = "Instance profile of the control plane, for the cloud controller manager. kubelets then "
		 "start with "
		 "--cloud-provider=external."),
	C("registry", registry, .max = 255,
	  .doc = "Registry of Kubernetes' own container images; absent: kubeadm's default."),
	C("packages", packages, .max = 1024,
	  .doc = "URL of a flat Debian repository that containerd, kubeadm, kubelet and kubectl are "
		 "installed from."),
	C("packages_key", packages_key, .max = 8192,
	  .doc = "OpenPGP key in ASCII armor that signs the repository; required without https."),
	C("manifests", manifests, .max = 1024,
	  .doc = "URLs of manifests that the first machine applies, such as a network plug-in's."),
};

/* A token of kubeadm: 36 characters make the modulo of random_below() exact. */
static struct str draw_token(struct arena *a)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char text[TOKEN_ID_SIZE + 1 + TOKEN_SECRET_SIZE];
	for (size_t k = 0; k < sizeof text; k++)
		text[k] = k == TOKEN_ID_SIZE ? '.' : alphabet[random_below(sizeof alphabet - 1)];
	return str_copy(a, (struct str){text, sizeof text});
}

/* kubeadm compares the authority's public key with this digest before a machine trusts it. */
static RESULT digest_authority(struct native_call *e, struct cluster_keys *keys)
{
	struct str digest = crypto_digest_public_key(e->c->arena, keys->ca_cert), bytes = STR_NONE;
	TRY(str_decode_base64(e->c->arena, digest, &bytes));
	keys->ca_digest = str_encode_hex(e->c->arena, bytes.p, bytes.n);
	return keys->ca_digest.p ? OK : ctx_no_memory(e->c);
}

/* Several machines of a control plane share all authorities; a single one makes the others itself. */
static RESULT draw_shared(struct native_call *e, struct cluster_keys *keys)
{
	TRY(crypto_make_authority(e->c, STR("etcd-ca"), AUTHORITY_VALID_US, &keys->etcd_cert,
				  &keys->etcd_key));
	TRY(crypto_make_authority(e->c, STR("front-proxy-ca"), AUTHORITY_VALID_US, &keys->front_cert,
				  &keys->front_key));
	return crypto_make_ec_pair(e->c, &keys->account_key, &keys->account_public);
}

static RESULT set_block(struct cidr *block, const char *absent)
{
	return cidr_is_none(*block) ? cidr_parse(str_from(absent), block) : OK;
}

static RESULT prepare_cluster(struct native_call *e, void *args)
{
	struct cluster_wish *w = args;
	struct cluster_keys *keys = &w->keys;
	if (!w->subnets.count)
		TRY(set_block(&w->network, "10.30.0.0/16"));
	TRY(set_block(&w->pod_block, "10.244.0.0/16"));
	TRY(set_block(&w->service_block, "10.96.0.0/12"));
	w->cluster = id_new(KIND_CLUSTER);
	w->endpoint = e->config->endpoint;
	w->region = e->config->region;
	TRY(crypto_make_authority(e->c, STR("kubernetes"), AUTHORITY_VALID_US, &keys->ca_cert,
				  &keys->ca_key));
	TRY(digest_authority(e, keys));
	TRY(key_seal(e->c, e->config->master_key, w->cluster, keys->ca_key, &keys->sealed_ca_key));
	if (w->control_count > 1)
		TRY(draw_shared(e, keys));
	keys->token = draw_token(e->c->arena);
	return keys->token.p ? OK : ctx_no_memory(e->c);
}

/* ---- kubeconfigs ---- */

struct kubeconfig_args {
	struct cluster_key_wish wish;
	struct str text;
	int64_t expires_us;
};
static const struct param kubeconfig_params[] = {
	PARAM(struct kubeconfig_args, "hours", wish.hours, .min = 1, .max = CLUSTER_KEY_HOURS_MAX,
	      .absent = "24", .doc = "Hours until the client certificate expires; absent: 24."),
};

/* The API's audit log names the user of Dari. */
static struct str name_caller(struct native_call *e)
{
	const struct identity *who = e->c->who;
	return str_print(
		e->c->arena, "dari:%" STR_FMT,
		STR_ARG((who->user_name.n ? str_cut(who->user_name, USER_NAME_MAX) : STR("operator"))));
}

static RESULT write_kubeconfig(struct native_call *e, const struct cluster *c, struct str cert,
			       struct str key, struct str *ret_text)
{
	struct arena *a = e->c->arena;
	char address[IP_TEXT_SIZE];
	struct str ca = str_encode_base64(a, c->ca_cert);
	cert = str_encode_base64(a, cert);
	key = str_encode_base64(a, key);
	*ret_text = str_print(a,
			      "apiVersion: v1\n"
			      "kind: Config\n"
			      "current-context: %" STR_FMT "\n"
			      "clusters:\n"
			      "- name: %" STR_FMT "\n"
			      "  cluster:\n"
			      "    server: https://%s:%d\n"
			      "    certificate-authority-data: %" STR_FMT "\n"
			      "contexts:\n"
			      "- name: %" STR_FMT "\n"
			      "  context:\n"
			      "    cluster: %" STR_FMT "\n"
			      "    user: %" STR_FMT "-admin\n"
			      "users:\n"
			      "- name: %" STR_FMT "-admin\n"
			      "  user:\n"
			      "    client-certificate-data: %" STR_FMT "\n"
			      "    client-key-data: %" STR_FMT "\n",
			      STR_ARG(c->name), STR_ARG(c->name), ip_write(c->address, address), CLUSTER_PORT,
			      STR_ARG(ca), STR_ARG(c->name), STR_ARG(c->name), STR_ARG(c->name),
			      STR_ARG(c->name), STR_ARG(cert), STR_ARG(key));
	return ret_text->p ? OK : ctx_no_memory(e->c);
}

static RESULT prepare_kubeconfig(struct native_call *e, void *args)
{
	struct kubeconfig_args *k = args;
	const struct row *row = NULL;
	struct str ca_key = STR_NONE, cert = STR_NONE, key = STR_NONE;
	TRY(native_find_row(e, KIND_CLUSTER, &k->wish.cluster, &row));
	const struct cluster *c = cluster_of(row);
	TRY(key_open(e->c, e->config->master_key, row->id, c->ca_key, &ca_key));
	const struct crypto_issue issue = {.ca_cert_pem = c->ca_cert,
					   .ca_key_pem = ca_key,
					   .common_name = name_caller(e),
					   .organization = ADMIN_GROUP,
					   .valid_us = k->wish.hours * HOUR,
					   .for_client = true};
	TRY(crypto_issue_certificate(e->c, &issue, &cert, &key));
	k->expires_us = clock_now_us() + k->wish.hours * HOUR;
	return write_kubeconfig(e, c, cert, key, &k->text);
}

/* Answers with the kubeconfig, whose private key is stored nowhere. */
static RESULT answer_kubeconfig(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct kubeconfig_args *k = args;
	TRY(native_answer_change(e, w));
	json_write_int(w, "expires_us", k->expires_us);
	json_write_text(w, "kubeconfig", k->text);
	return OK;
}

/* ---- machines ---- */

static RESULT answer_machines(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = native_tables(e);
	const struct cluster *c = cluster_find(t, e->target.prefix);
	char address[IP_TEXT_SIZE];
	(void) args;
	if (!c)
		return engine_fail_gone(e->c, KIND_CLUSTER, e->target.prefix);
	json_write_open_list(w, "items");
	for (size_t n = 0;; n++) {
		bool is_worker = false;
		const struct instance *i = engine_get_cluster_machine(t, c, n, &is_worker);
		const struct port *port = i ? port_first_by_instance(t, i->row.id) : NULL;
		if (!i)
			break;
		json_write_open(w, NULL);
		json_write_uuid(w, "id", i->row.id);
		json_write_text(w, "ec2_id", id_to_ec2(e->c->arena, KIND_INSTANCE, i->row.id));
		json_write_text(w, "name", i->name);
		json_write_z(w, "role", is_worker ? "worker" : "control-plane");
		json_write_z(w, "state", model_instance_states[model_derive_instance_state(i)].name);
		json_write_z(w, "private_ip", port ? ip_write(port->ip, address) : "");
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- the table ---- */

static const struct param scale_params[] = {
	PARAM(struct cluster_scaling, "workers", workers, .min = 0, .max = CLUSTER_WORKERS_MAX,
	      .flags = REQUIRED, .doc = "Number of workers."),
};
static const struct native_action actions[] = {
	CREATE("/clusters", "dari:CreateCluster", CLUSTER, .args = PARAMS(struct cluster_wish, create_params),
	       .prepare = prepare_cluster, .operation = engine_create_cluster_run,
	       .doc = "Creates a Kubernetes cluster: a VPC or given subnets, security groups, a network load "
		      "balancer "
		      "for the API, machines of the control plane, and a scaling group of workers."),
	CHANGE(PATCH, "/clusters/{id}", "dari:ScaleCluster", CLUSTER,
	       .args = PARAMS(struct cluster_scaling, scale_params),
	       .target = NATIVE_AT(cluster_scaling, cluster), .operation = engine_scale_cluster_run,
	       .doc = "Changes the number of a cluster's workers."),
	DELETION("/clusters/{id}", "dari:DeleteCluster", CLUSTER, cluster_target, cluster,
		 engine_delete_cluster_run,
		 .doc = "Deletes a cluster with everything that was made for it. Load balancers and volumes "
			"that "
			"Kubernetes made are not part of it: delete its Services and claims before."),
	CHANGE(POST, "/clusters/{id}/kubeconfig", "dari:GetClusterKubeconfig", CLUSTER,
	       .args = PARAMS(struct kubeconfig_args, kubeconfig_params),
	       .target = NATIVE_AT(kubeconfig_args, wish.cluster), .prepare = prepare_kubeconfig,
	       .operation = engine_note_cluster_key_run, .answer = answer_kubeconfig,
	       .doc = "Issues a client certificate of the cluster's administrators, and returns a kubeconfig "
		      "with it. "
		      "Its key is shown once and stored nowhere."),
	{HTTP_GET, "/clusters/{id}/machines", .permit = "dari:ListClusters", .kind = KIND_CLUSTER,
	 .prepare = native_prepare_row, .answer = answer_machines,
	 .doc = "Lists the machines of a cluster: control plane, then workers."},
};
const struct api_actions native_clusters_actions = API_ACTIONS(actions);
