/* SPDX-License-Identifier: Apache-2.0
 * User data of a cluster's machines: cloud-init's files and one script, which runs kubeadm with a configuration of
 * kubeadm.k8s.io/v1beta4. Only machines of the control plane get keys; a worker gets the bootstrap token and the digest of the
 * authority's public key. cluster.c has checked every text for characters that YAML or a shell would read. Pure. */
#include "base/buf.h"
#include "engine/cluster/cluster_internal.h"
#include "engine/instance/instance.h"
#include "store/cluster.h"

#define PLACE "/var/lib/dari-kubernetes"

/* The machine finds its node name, provider id and role itself. A boot after the first finds kubelet.conf.
 * The script repeats kubeadm until it succeeds: the load balancer or the first machine may not be there yet. `kubeadm
 * reset` deletes /etc/kubernetes/pki, so each attempt copies the keys again.
 * kubeadm's imageRepository does not reach containerd, which pulls the pause image of each pod itself: with a registry of
 * the user the script names that image in containerd's configuration.
 * A machine of the control plane reaches its own API server by the endpoint's name: a load balancer that keeps the clients'
 * addresses cannot lead a machine to itself. */
static const char script[] =
	"#!/bin/sh\n"
	"set -eu\n"
	"role=$1 address=$2 endpoint=$3\n"
	"[ ! -e /etc/kubernetes/kubelet.conf ] || exit 0\n"
	"cd " PLACE "\n"
	"name=$(hostname -f 2>/dev/null || hostname)\n"
	"provider=aws:///$(cloud-init query availability_zone)/$(cloud-init query instance_id)\n"
	"sed -i \"s|@NAME@|$name|; s|@PROVIDER@|$provider|\" kubeadm.yaml\n"
	"printf 'overlay\\nbr_netfilter\\n' >/etc/modules-load.d/kubernetes.conf\n"
	"modprobe overlay\n"
	"modprobe br_netfilter\n"
	"printf 'net.bridge.bridge-nf-call-iptables = 1\\nnet.ipv4.ip_forward = 1\\n' "
	">/etc/sysctl.d/90-kubernetes.conf\n"
	"sysctl --system >/dev/null\n"
	"swapoff -a\n"
	"sed -i '/[[:space:]]swap[[:space:]]/d' /etc/fstab\n"
	"if ! grep -q 'SystemdCgroup = true' /etc/containerd/config.toml 2>/dev/null; then\n"
	"  mkdir -p /etc/containerd\n"
	"  containerd config default | sed 's/SystemdCgroup = false/SystemdCgroup = true/' "
	">/etc/containerd/config.toml\n"
	"  if [ -e registry ]; then\n"
	"    pause=$(kubeadm config images list --image-repository \"$(cat registry)\" "
	"--kubernetes-version \"$(kubeadm version -o short)\" | grep /pause:)\n"
	"    sed -i \"s|[\\\"'][^\\\"']*/pause:[^\\\"']*[\\\"']|'$pause'|\" /etc/containerd/config.toml\n"
	"  fi\n"
	"  systemctl restart containerd\n"
	"fi\n"
	"systemctl enable kubelet\n"
	"lead() {\n"
	"  sed -i \"/ $endpoint\\$/d\" /etc/hosts\n"
	"  echo \"$1 $endpoint\" >>/etc/hosts\n"
	"}\n"
	"attempt() {\n"
	"  [ ! -d pki ] || { mkdir -p /etc/kubernetes/pki && cp -Rp pki/. /etc/kubernetes/pki/; }\n"
	"  case $role in\n"
	"  first) lead 127.0.0.1; kubeadm init --config kubeadm.yaml --skip-token-print ;;\n"
	"  *) lead \"$address\"; kubeadm join --config kubeadm.yaml ;;\n"
	"  esac\n"
	"}\n"
	"until attempt; do\n"
	"  sleep 15\n"
	"  kubeadm reset --force || true\n"
	"done\n"
	"rm -rf pki\n"
	"[ \"$role\" = worker ] || lead 127.0.0.1\n"
	"[ \"$role\" = first ] || exit 0\n"
	"while read -r url; do\n"
	"  tries=0\n"
	"  until kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f \"$url\"; do\n"
	"    tries=$((tries + 1))\n"
	"    [ $tries -lt 30 ] || break\n"
	"    sleep 10\n"
	"  done\n"
	"done <manifests\n";

enum cluster_role { ROLE_FIRST, ROLE_MORE, ROLE_WORKER };
static const char *const role_words[] = {"first", "more", "worker"};

/* ---- files ---- */

/* Adds the lines with an indentation, as a block of YAML. */
static void add_lines(struct buf *b, const char *indent, struct str text)
{
	struct str rest = str_trim(text), line;
	while (str_split_next(&rest, '\n', &line))
		buf_print(b, "%s%" STR_FMT "\n", indent, STR_ARG(line));
}

static void add_file(struct buf *b, const char *path, const char *mode, struct str text)
{
	if (!text.n)
		return;
	buf_print(b, "- path: %s\n  permissions: '%s'\n  content: |\n", path, mode);
	add_lines(b, "    ", text);
}

static void add_keys(struct buf *b, const struct cluster_keys *k)
{
	add_file(b, PLACE "/pki/ca.crt", "0644", k->ca_cert);
	add_file(b, PLACE "/pki/ca.key", "0600", k->ca_key);
	add_file(b, PLACE "/pki/etcd/ca.crt", "0644", k->etcd_cert);
	add_file(b, PLACE "/pki/etcd/ca.key", "0600", k->etcd_key);
	add_file(b, PLACE "/pki/front-proxy-ca.crt", "0644", k->front_cert);
	add_file(b, PLACE "/pki/front-proxy-ca.key", "0600", k->front_key);
	add_file(b, PLACE "/pki/sa.key", "0600", k->account_key);
	add_file(b, PLACE "/pki/sa.pub", "0644", k->account_public);
}

/* A repository in Debian's flat form, such as those of pkgs.k8s.io. Without a key its TLS certificate vouches for it. */
static void add_packages(struct buf *b, const struct cluster_wish *w)
{
	if (!w->packages.n)
		return;
	buf_print(b, "apt:\n  sources:\n    kubernetes:\n      source: \"deb [%s] %" STR_FMT " /\"\n",
		  w->packages_key.n ? "signed-by=$KEY_FILE" : "trusted=yes", STR_ARG(w->packages));
	if (w->packages_key.n) {
		buf_print(b, "      key: |\n");
		add_lines(b, "        ", w->packages_key);
	}
	buf_print(b, "packages: [containerd, kubeadm, kubelet, kubectl]\n");
}

/* For the cloud controller manager, which finds its key in the metadata by the machine's instance profile. */
static void add_cloud_conf(struct buf *b, const struct cluster_making *m, struct str region)
{
	static const struct {
		const char *section, *service, *signing;
	} services[] = {{"ec2", "EC2", "ec2"},
			{"elb", "Elastic Load Balancing", "elasticloadbalancing"},
			{"elbv2", "Elastic Load Balancing v2", "elasticloadbalancing"}};
	buf_print(b,
		  "- path: /etc/kubernetes/cloud.conf\n  permissions: '0644'\n  content: |\n"
		  "    [Global]\n    KubernetesClusterID = %" STR_FMT "\n",
		  STR_ARG(m->row->name));
	for (size_t k = 0; k < sizeof services / sizeof *services; k++)
		buf_print(b,
			  "    [ServiceOverride \"%s\"]\n    Service = %s\n    Region = %" STR_FMT
			  "\n    URL = %" STR_FMT "\n    SigningRegion = %" STR_FMT
			  "\n    SigningName = %s\n",
			  services[k].section, services[k].service, STR_ARG(region),
			  STR_ARG(m->wish->endpoint), STR_ARG(region), services[k].signing);
}

/* ---- kubeadm's configuration ---- */

static void add_registration(struct buf *b, const struct cluster_making *m)
{
	buf_print(b, "    nodeRegistration:\n"
		     "      name: \"@NAME@\"\n"
		     "      criSocket: unix:///run/containerd/containerd.sock\n"
		     "      kubeletExtraArgs:\n"
		     "      - name: provider-id\n"
		     "        value: \"@PROVIDER@\"\n");
	if (!uuid_is_none(m->row->profile))
		buf_print(b, "      - name: cloud-provider\n        value: external\n");
}

static void add_init(struct buf *b, const struct cluster_making *m)
{
	buf_print(b,
		  "    apiVersion: kubeadm.k8s.io/v1beta4\n"
		  "    kind: InitConfiguration\n"
		  "    bootstrapTokens:\n"
		  "    - token: \"%" STR_FMT "\"\n"
		  "      description: Workers of the scaling group\n"
		  "      ttl: 0s\n"
		  "      usages: [signing, authentication]\n"
		  "      groups: [\"system:bootstrappers:kubeadm:default-node-token\"]\n",
		  STR_ARG(m->wish->keys.token));
	add_registration(b, m);
}

static void add_cluster(struct buf *b, const struct cluster_making *m)
{
	const struct cluster *row = m->row;
	char pods[CIDR_TEXT_SIZE], services[CIDR_TEXT_SIZE], address[IP_TEXT_SIZE];
	buf_print(b,
		  "    ---\n"
		  "    apiVersion: kubeadm.k8s.io/v1beta4\n"
		  "    kind: ClusterConfiguration\n"
		  "    clusterName: \"%" STR_FMT "\"\n"
		  "    kubernetesVersion: \"v%" STR_FMT "\"\n"
		  "    controlPlaneEndpoint: \"%" STR_FMT ":%d\"\n"
		  "    encryptionAlgorithm: ECDSA-P256\n"
		  "    networking:\n"
		  "      podSubnet: \"%s\"\n"
		  "      serviceSubnet: \"%s\"\n"
		  "    apiServer:\n"
		  "      certSANs: [\"%" STR_FMT "\", \"%" STR_FMT "\", \"%s\"]\n",
		  STR_ARG(row->name), STR_ARG(row->version), STR_ARG(row->endpoint), CLUSTER_PORT,
		  cidr_write(row->pod_block, pods), cidr_write(row->service_block, services),
		  STR_ARG(row->endpoint), STR_ARG(m->private_ip), ip_write(row->address, address));
	if (row->registry.n)
		buf_print(b, "    imageRepository: \"%" STR_FMT "\"\n", STR_ARG(row->registry));
	if (!uuid_is_none(row->profile))
		buf_print(b, "    controllerManager:\n"
			     "      extraArgs:\n"
			     "      - name: cloud-provider\n"
			     "        value: external\n");
	buf_print(b, "    ---\n"
		     "    apiVersion: kubelet.config.k8s.io/v1beta1\n"
		     "    kind: KubeletConfiguration\n"
		     "    cgroupDriver: systemd\n");
}

static void add_join(struct buf *b, const struct cluster_making *m, bool is_control)
{
	buf_print(b,
		  "    apiVersion: kubeadm.k8s.io/v1beta4\n"
		  "    kind: JoinConfiguration\n"
		  "    discovery:\n"
		  "      bootstrapToken:\n"
		  "        apiServerEndpoint: \"%" STR_FMT ":%d\"\n"
		  "        token: \"%" STR_FMT "\"\n"
		  "        caCertHashes: [\"sha256:%" STR_FMT "\"]\n",
		  STR_ARG(m->row->endpoint), CLUSTER_PORT, STR_ARG(m->wish->keys.token),
		  STR_ARG(m->wish->keys.ca_digest));
	add_registration(b, m);
	if (is_control)
		buf_print(b, "    controlPlane:\n      localAPIEndpoint:\n        bindPort: %d\n",
			  CLUSTER_PORT);
}

/* ---- whole ---- */

static void add_kubeadm(struct buf *b, const struct cluster_making *m, enum cluster_role role)
{
	buf_print(b, "- path: " PLACE "/kubeadm.yaml\n  permissions: '0600'\n  content: |\n");
	if (role == ROLE_FIRST) {
		add_init(b, m);
		add_cluster(b, m);
	} else
		add_join(b, m, role == ROLE_MORE);
}

static void add_manifests(struct buf *b, const struct strs *urls)
{
	buf_print(b, "- path: " PLACE "/manifests\n  content: |\n");
	for (size_t k = 0; k < urls->count; k++)
		buf_print(b, "    %" STR_FMT "\n", STR_ARG(urls->at[k]));
}

static void write_data(struct buf *b, const struct cluster_making *m, enum cluster_role role,
		       struct str region)
{
	buf_print(b, "#cloud-config\n");
	add_packages(b, m->wish);
	buf_print(b, "write_files:\n");
	add_file(b, "/usr/local/sbin/dari-kubernetes", "0755", str_from(script));
	add_kubeadm(b, m, role);
	add_file(b, PLACE "/registry", "0644", m->row->registry);
	if (role != ROLE_WORKER)
		add_keys(b, &m->wish->keys);
	if (role != ROLE_WORKER && !uuid_is_none(m->row->profile))
		add_cloud_conf(b, m, region);
	if (role == ROLE_FIRST)
		add_manifests(b, &m->row->manifests);
	buf_print(b, "runcmd:\n- [/usr/local/sbin/dari-kubernetes, %s, \"%" STR_FMT "\", \"%" STR_FMT "\"]\n",
		  role_words[role], STR_ARG(m->private_ip), STR_ARG(m->row->endpoint));
}

static RESULT write_for(const struct cluster_making *m, enum cluster_role role, struct str *ret_data)
{
	struct op *op = m->op;
	struct buf b;
	buf_init(&b, INSTANCE_USER_DATA_MAX);
	write_data(&b, m, role, m->wish->region);
	struct result result = buf_finish(&b);
	*ret_data = str_copy(op->ctx->arena, buf_str(&b));
	buf_done(&b);
	TRY(result);
	return ret_data->p ? OK : ctx_no_memory(op->ctx);
}

RESULT cluster_write_control_data(const struct cluster_making *m, size_t n, struct str *ret_data)
{
	return write_for(m, n ? ROLE_MORE : ROLE_FIRST, ret_data);
}

RESULT cluster_write_worker_data(const struct cluster_making *m, struct str *ret_data)
{
	return write_for(m, ROLE_WORKER, ret_data);
}
