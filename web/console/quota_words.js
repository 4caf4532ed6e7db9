// SPDX-License-Identifier: Apache-2.0
// Names of quotas, by their names in the API.
import {t, size, number} from "./words.js";

const WORDS = {instances: () => t("Instances"), vcpus: () => t("vCPUs"), memory: () => t("Memory"), volumes: () => t("Volumes"), volume_bytes: () => t("Disks and snapshots"), snapshots: () => t("Snapshots"),
	images: () => t("Images"), addresses: () => t("Elastic IPs"), routers: () => t("VPCs"), groups: () => t("Security groups"), ports: () => t("Network interfaces"), nat_gateways: () => t("NAT gateways"),
	networks: () => t("Networks"), subnets: () => t("Subnets"), key_pairs: () => t("Key pairs"),
	disk_bytes: () => t("Files of images, snapshots, backups and tickets"), rows_bytes: () => t("Memory for descriptions and settings")};

export const isBytes = (name) => name === "memory" || name.endsWith("_bytes");
/** Formats an amount of the quota. */
export const sayOf = (name) => (isBytes(name) ? size : number);
export const quotaWord = (name) => WORDS[name]?.() ?? name;
