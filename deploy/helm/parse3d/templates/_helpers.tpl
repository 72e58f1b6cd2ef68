{{- define "parse3d.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "parse3d.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "parse3d.labels" -}}
{{ include "parse3d.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "parse3d.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "parse3d.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{/* Of every process: where the archive and the database are, and who may ask. */}}
{{- define "parse3d.environment" -}}
- name: PARSE3D_TOKEN_FILE
  value: /run/secrets/parse3d/token
- name: PARSE3D_DATABASE_URL_FILE
  value: /run/secrets/parse3d/database-url
- name: PARSE3D_DICOMWEB_URL
  value: {{ required "archive.dicomwebUrl is needed: the root of the archive's DICOMweb services" .Values.archive.dicomwebUrl | quote }}
{{- with .Values.archive.user }}
- name: PARSE3D_DICOMWEB_USER
  value: {{ . | quote }}
- name: PARSE3D_DICOMWEB_PASSWORD_FILE
  value: /run/secrets/parse3d/archive-password
{{- end }}
{{- with .Values.archive.orthancUrl }}
- name: PARSE3D_ORTHANC_URL
  value: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.environment }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Of every pod, but for its containers. */}}
{{- define "parse3d.pod" -}}
serviceAccountName: {{ include "parse3d.serviceAccount" . }}
automountServiceAccountToken: false
# A Service called parse3d would put a PARSE3D_PORT of its own into every pod.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
volumes:
  - name: models
    persistentVolumeClaim:
      claimName: {{ .Values.persistence.models.existingClaim | default (printf "%s-models" (include "parse3d.name" .)) }}
  - name: data
    {{- with .Values.persistence.cache }}
    {{- if .storageClass }}
    ephemeral:
      volumeClaimTemplate:
        spec:
          accessModes: [ReadWriteOnce]
          {{- if ne .storageClass "-" }}
          storageClassName: {{ .storageClass | quote }}
          {{- end }}
          resources:
            requests: { storage: {{ .size }} }
    {{- else }}
    emptyDir: { sizeLimit: {{ .size }} }
    {{- end }}
    {{- end }}
  - name: tmp
    emptyDir: {}
  # As files: the environment of a process is shown in more places, and handed on to what it starts.
  - name: secrets
    secret:
      secretName: {{ .Values.secret.name | quote }}
      defaultMode: 0440
      items:
        - { key: {{ .Values.secret.keys.token | quote }}, path: token }
        - { key: {{ .Values.secret.keys.databaseUrl | quote }}, path: database-url }
        {{- if .Values.archive.user }}
        - { key: {{ .Values.secret.keys.archivePassword | quote }}, path: archive-password }
        {{- end }}
{{- end }}

{{- define "parse3d.mounts" -}}
- { name: data, mountPath: /data }
- { name: models, mountPath: /data/models }
- { name: tmp, mountPath: /tmp }
- { name: secrets, mountPath: /run/secrets/parse3d, readOnly: true }
{{- end }}

{{- define "parse3d.placement" -}}
nodeSelector: {{- toYaml (.nodeSelector | default dict) | nindent 2 }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
