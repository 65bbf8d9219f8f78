//! Which files are what.

use crate::workspace::SourceFile;

fn name(file: &SourceFile) -> &str {
    file.path.rsplit('/').next().unwrap_or_default()
}

/// Dockerfiles.
pub fn dockerfile(file: &SourceFile) -> bool {
    name(file) == "Dockerfile" || file.has_extension("dockerfile")
}

/// Compose files.
pub fn compose(file: &SourceFile) -> bool {
    yaml(file) && (name(file).starts_with("docker-compose") || name(file).starts_with("compose."))
}

/// Shell scripts, by their extension or their first line.
pub fn shell(file: &SourceFile) -> bool {
    let first = file.text.lines().next().unwrap_or_default();
    file.has_extension("sh") || (first.starts_with("#!") && first.ends_with("sh"))
}

/// YAML.
pub fn yaml(file: &SourceFile) -> bool {
    file.has_extension("yaml") || file.has_extension("yml")
}

/// JSON.
pub fn json(file: &SourceFile) -> bool {
    file.has_extension("json")
}

/// Terraform.
pub fn hcl(file: &SourceFile) -> bool {
    file.has_extension("tf") || file.has_extension("tfvars") || file.path.ends_with(".tftest.hcl")
}

/// Whatever tells an infrastructure.
pub fn in_infra(file: &SourceFile) -> bool {
    dockerfile(file) || hcl(file) || kubernetes(file)
}

/// What describes objects of a cluster: not kustomize's own files.
pub fn kubernetes(file: &SourceFile) -> bool {
    yaml(file) && in_kubernetes(file) && !kustomization(file)
}

/// What kustomize starts from.
pub fn kustomization(file: &SourceFile) -> bool {
    in_kubernetes(file) && name(file) == "kustomization.yaml"
}

/// Whether an object is of a kind that a cluster learns from an operator, which has no schema here.
pub(super) fn is_custom(text: &str) -> bool {
    text.lines()
        .any(|line| line.starts_with("apiVersion: monitoring.coreos.com/"))
}

fn in_kubernetes(file: &SourceFile) -> bool {
    file.path.starts_with("infra/kubernetes/")
}

/// Rules of Prometheus.
pub fn prometheus_rules(file: &SourceFile) -> bool {
    yaml(file) && file.path.starts_with("grafana/prometheus/rules/")
}

/// Configurations of Prometheus.
pub fn prometheus_config(file: &SourceFile) -> bool {
    name(file) == "prometheus.yml" && file.text.contains("scrape_configs:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn scripts_are_known_by_their_first_line_too() {
        assert!(shell(&file("infra/a.sh", "")));
        assert!(shell(&file(".ci/run", "#!/usr/bin/env bash\n")));
        assert!(!shell(&file("a.py", "#!/usr/bin/env python3\n")));
        assert!(!shell(&file("README.md", "# bash")));
    }

    #[test]
    fn objects_of_a_cluster_are_told_from_what_makes_them() {
        let object = file("infra/kubernetes/base/a.yaml", "apiVersion: v1\nkind: Service\n");
        let overlay = file("infra/kubernetes/local/kustomization.yaml", "resources: []\n");
        let elsewhere = file("infra/compose/tempo.yml", "server: {}\n");
        assert!(kubernetes(&object));
        for other in [&overlay, &elsewhere] {
            assert!(!kubernetes(other), "{}", other.path);
        }
        assert!(kustomization(&overlay));
    }

    #[test]
    fn a_data_source_of_grafana_is_no_configuration_of_prometheus() {
        assert!(!prometheus_config(&file(
            "grafana/provisioning/datasources/prometheus.yml",
            "datasources:\n"
        )));
        assert!(prometheus_config(&file(
            "grafana/prometheus/prometheus.yml",
            "scrape_configs: []\n"
        )));
    }
}
