// The questions of the explorer as a package in QTI 2.1: one item a question, with feedback for each choice, and a test
// with a section for each chapter.

import { strToU8, zipSync } from 'fflate';

const QTI = 'http://www.imsglobal.org/xsd/imsqti_v2p1';
const PACKAGE = 'http://www.imsglobal.org/xsd/imscp_v1p1';
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
/** The attributes of a root in a namespace. */
const root = (space, schema) => `xmlns="${space}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="${space} ${schema}"`;
const xml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const letter = (i) => String.fromCharCode(65 + i);

/** An item: one right choice of some; the choice that was made is the name of the feedback that is shown. */
function item({ id, title, stem, choices }) {
  const right = letter(choices.findIndex((c) => c.right));
  const score = (value) => `<setOutcomeValue identifier="SCORE"><baseValue baseType="float">${value}</baseValue></setOutcomeValue>`;
  return `${HEAD}<assessmentItem ${root(QTI, 'http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd')} identifier="${id}" title="${xml(`${title}, question ${id.match(/\d+$/)[0]}`)}" adaptive="false" timeDependent="false" xml:lang="en">
<responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier"><correctResponse><value>${right}</value></correctResponse></responseDeclaration>
<outcomeDeclaration identifier="SCORE" cardinality="single" baseType="float"><defaultValue><value>0</value></defaultValue></outcomeDeclaration>
<outcomeDeclaration identifier="FEEDBACK" cardinality="single" baseType="identifier"/>
<itemBody><choiceInteraction responseIdentifier="RESPONSE" shuffle="false" maxChoices="1"><prompt>${xml(stem)}</prompt>
${choices.map((c, i) => `<simpleChoice identifier="${letter(i)}">${xml(c.text)}</simpleChoice>`).join('\n')}
</choiceInteraction></itemBody>
<responseProcessing><responseCondition><responseIf><match><variable identifier="RESPONSE"/><correct identifier="RESPONSE"/></match>${score(1)}</responseIf><responseElse>${score(0)}</responseElse></responseCondition>
<setOutcomeValue identifier="FEEDBACK"><variable identifier="RESPONSE"/></setOutcomeValue></responseProcessing>
${choices.map((c, i) => `<modalFeedback outcomeIdentifier="FEEDBACK" identifier="${letter(i)}" showHide="show"><p>${xml(c.feedback)}</p></modalFeedback>`).join('\n')}
</assessmentItem>
`;
}

/** The package: `questions` are { id, chapter, title, stem, choices: [{ text, right, feedback }] }. */
export function qti(questions) {
  const chapters = questions.reduce((all, q) => all.set(q.chapter, [...(all.get(q.chapter) ?? []), q]), new Map());
  const sections = [...chapters].map(([chapter, all]) => `<assessmentSection identifier="section-${chapter}" title="${xml(all[0].title)}" visible="true">
${all.map(({ id }) => `<assessmentItemRef identifier="ref-${id}" href="items/${id}.xml"/>`).join('\n')}
</assessmentSection>`);
  const test = `${HEAD}<assessmentTest ${root(QTI, 'http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd')} identifier="how-far" title="How far will the features move?">
<testPart identifier="part" navigationMode="nonlinear" submissionMode="individual"><itemSessionControl maxAttempts="0" showFeedback="true"/>
${sections.join('\n')}
</testPart></assessmentTest>
`;
  const manifest = `${HEAD}<manifest ${root(PACKAGE, 'http://www.imsglobal.org/xsd/qti/qtiv2p1/qtiv2p1_imscpv1p2_v1p0.xsd')} identifier="taskhead-questions">
<metadata><schema>QTIv2.1 Package</schema><schemaversion>1.0.0</schemaversion></metadata>
<organizations/>
<resources>
<resource identifier="test" type="imsqti_test_xmlv2p1" href="test.xml"><file href="test.xml"/>
${questions.map(({ id }) => `<dependency identifierref="${id}"/>`).join('\n')}
</resource>
${questions.map(({ id }) => `<resource identifier="${id}" type="imsqti_item_xmlv2p1" href="items/${id}.xml"><file href="items/${id}.xml"/></resource>`).join('\n')}
</resources></manifest>
`;
  const files = { 'imsmanifest.xml': manifest, 'test.xml': test, ...Object.fromEntries(questions.map((q) => [`items/${q.id}.xml`, item(q)])) };
  // The time of a file is that of no day: the same questions are the same bytes.
  return zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])), { level: 9, mtime: '1980-01-02T00:00:00Z' });
}
