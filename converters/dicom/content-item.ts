import type { Vec3 } from "../geometry/index.ts";
import type { CodedConcept } from "./coded-concept.ts";
import type { Elements } from "./elements.ts";
import { codeItem } from "./equipment.ts";

/** How a content item stands to the one that holds it (PS3.3 table C.17-6). */
export type Relationship = "CONTAINS" | "HAS OBS CONTEXT" | "HAS CONCEPT MOD" | "INFERRED FROM";

/** A content item of a structured report (PS3.3 section C.17.3), with what hangs below it. */
export function contentItem(
  relationship: Relationship,
  valueType: "CODE" | "TEXT" | "UIDREF" | "NUM" | "IMAGE" | "SCOORD3D",
  name: CodedConcept,
  value: Elements,
  below: readonly Elements[] = [],
): Elements {
  return {
    RelationshipType: relationship,
    ValueType: valueType,
    ConceptNameCodeSequence: [codeItem(name)],
    ...value,
    ...(below.length > 0 && { ContentSequence: below }),
  };
}

/** @param templateId of PS3.16, where the container follows one */
export function containerValue(name: CodedConcept, content: readonly Elements[], templateId?: string): Elements {
  return {
    ValueType: "CONTAINER",
    ConceptNameCodeSequence: [codeItem(name)],
    ContinuityOfContent: "SEPARATE",
    ...(templateId !== undefined && {
      ContentTemplateSequence: [{ MappingResource: "DCMR", TemplateIdentifier: templateId }],
    }),
    ContentSequence: content,
  };
}

export function container(name: CodedConcept, content: readonly Elements[], templateId?: string): Elements {
  return { RelationshipType: "CONTAINS", ...containerValue(name, content, templateId) };
}

export function code(
  relationship: Relationship,
  name: CodedConcept,
  value: CodedConcept,
  below: readonly Elements[] = [],
): Elements {
  return contentItem(relationship, "CODE", name, { ConceptCodeSequence: [codeItem(value)] }, below);
}

export function text(relationship: Relationship, name: CodedConcept, value: string): Elements {
  return contentItem(relationship, "TEXT", name, { TextValue: value });
}

export function uidReference(relationship: Relationship, name: CodedConcept, uid: string): Elements {
  return contentItem(relationship, "UIDREF", name, { UID: uid });
}

export function measurement(
  name: CodedConcept,
  value: number,
  unit: CodedConcept,
  below: readonly Elements[] = [],
): Elements {
  const measured = { NumericValue: value, MeasurementUnitsCodeSequence: [codeItem(unit)] };
  return contentItem("CONTAINS", "NUM", name, { MeasuredValueSequence: [measured] }, below);
}

/** @param points mm in LPS, in the frame of reference */
export function coordinates(
  relationship: Relationship,
  name: CodedConcept,
  graphicType: "POLYLINE" | "MULTIPOINT",
  points: readonly Vec3[],
  frameOfReferenceUid: string,
): Elements {
  return contentItem(relationship, "SCOORD3D", name, {
    GraphicType: graphicType,
    GraphicData: points.flat(),
    ReferencedFrameOfReferenceUID: frameOfReferenceUid,
  });
}
