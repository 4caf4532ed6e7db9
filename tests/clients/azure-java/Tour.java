// SPDX-License-Identifier: Apache-2.0
// azure-identity and azure-resourcemanager-compute for Java, as the recipe of docs/clients.md has them: disks and snapshots.
import com.azure.core.credential.TokenCredential;
import com.azure.core.management.AzureEnvironment;
import com.azure.core.management.Region;
import com.azure.core.management.exception.ManagementException;
import com.azure.core.management.profile.AzureProfile;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.resourcemanager.compute.ComputeManager;
import java.util.Map;

public class Tour extends Steps {
    static final String GROUP = "dari-default";
    static ComputeManager compute;

    static Object signIn() {
        String endpoint = System.getenv("ENDPOINT");
        TokenCredential credential = new ClientSecretCredentialBuilder().authorityHost(endpoint).tenantId(System.getenv("TENANT"))
            .clientId(System.getenv("AWS_ACCESS_KEY_ID")).clientSecret(System.getenv("AWS_SECRET_ACCESS_KEY")).disableInstanceDiscovery().build();
        AzureEnvironment region = new AzureEnvironment(Map.of("resourceManagerEndpointUrl", endpoint, "managementEndpointUrl", endpoint + "/",
            "activeDirectoryEndpointUrl", endpoint, "microsoftGraphResourceId", endpoint + "/"));
        compute = ComputeManager.authenticate(credential, new AzureProfile(System.getenv("TENANT"), System.getenv("SUBSCRIPTION"), region));
        return same(compute.disks().list().stream().count(), 0L);
    }

    static Object makeDisks() {
        for (String name : new String[] {"a", "b"}) {
            compute.disks().define(name).withRegion(Region.create("useast1", "")).withExistingResourceGroup(GROUP).withData().withSizeInGB(1).create();
        }
        return same(compute.disks().listByResourceGroup(GROUP).stream().count(), 2L);
    }

    static Object changeDisk() {
        compute.disks().getByResourceGroup(GROUP, "a").update().withSizeInGB(2).withTag("team", "blue").apply();
        return same(compute.disks().getByResourceGroup(GROUP, "a").sizeInGB() + compute.disks().getByResourceGroup(GROUP, "a").tags().get("team"), "2blue");
    }

    static Object makeSnapshot() {
        return same(compute.snapshots().define("shot").withRegion(Region.create("useast1", "")).withExistingResourceGroup(GROUP)
            .withDataFromDisk(compute.disks().getByResourceGroup(GROUP, "a")).create().name(), "shot");
    }

    static Object errors() {
        try {
            compute.disks().getByResourceGroup(GROUP, "nobody");
        } catch (ManagementException e) {
            return same(e.getValue().getCode(), "ResourceNotFound");
        }
        throw new IllegalStateException("a disk that does not exist was answered");
    }

    static Object deleteAll() {
        compute.snapshots().deleteByResourceGroup(GROUP, "shot");
        compute.disks().deleteByResourceGroup(GROUP, "a");
        compute.disks().deleteByResourceGroup(GROUP, "b");
        return same(compute.disks().list().stream().count(), 0L);
    }

    public static void main(String[] arguments) {
        step("signing in", Tour::signIn);
        step("two disks", Tour::makeDisks);
        step("a disk is grown and tagged", Tour::changeDisk);
        step("a snapshot", Tour::makeSnapshot);
        step("errors have their codes", Tour::errors);
        step("all is deleted", Tour::deleteAll);
        end();
    }
}
