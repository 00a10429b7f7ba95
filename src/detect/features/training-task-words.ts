// The words by which a request for training tasks is told: content, not code.
import type { WordList } from "./lexicon.ts";

/** Methods are named after their papers: Self-Instruct (Wang et al. 2023), Evol-Instruct (Xu et al. 2023). */
export const TRAINING_TASK_WORDS: Omit<WordList, "bit"> = {
  sure: [
    ...[
      "diverse task instructions",
      "diverse instructions",
      "diverse set of instructions",
      "diverse set of tasks",
      "set of diverse tasks",
    ],
    ...[
      "list of diverse tasks",
      "come up with a series of tasks",
      "come up with new tasks",
      "new task instructions",
      "diverse user prompts",
    ],
    ...[
      "prompt into a more complex",
      "instruction into a more complex",
      "brand new prompt",
      "brand new instruction",
      "instruction tuning",
    ],
    ...["instruction-tuning", "self-instruct", "self instruct", "evol-instruct", "evol instruct"],
    ...[
      "synthetic training data",
      "synthetic training examples",
      "synthetic instructions",
      "fine-tuning dataset",
      "finetuning dataset",
    ],
    ...[
      "fine-tuning data",
      "fine-tuning examples",
      "finetuning data",
      "training data for a language model",
      "training examples for a language model",
    ],
    ...["to train a language model", "to train another model", "to train a smaller model"],
    ...[
      "instrucciones diversas",
      "tareas diversas para un modelo",
      "datos de entrenamiento sintéticos",
      "instruções diversas",
      "dados de treinamento sintéticos",
    ],
    ...[
      "instructions variées",
      "instructions diversifiées",
      "données d'entraînement synthétiques",
      "entraîner un modèle de langage",
    ],
    ...[
      "vielfältige anweisungen",
      "vielfältiger anweisungen",
      "synthetische trainingsdaten",
      "trainingsdaten für ein sprachmodell",
      "ein sprachmodell zu trainieren",
    ],
    ...["dati di addestramento sintetici", "addestrare un modello linguistico"],
    ...[
      "разнообразных инструкций",
      "разнообразные инструкции",
      "синтетические обучающие данные",
      "обучения языковой модели",
    ],
    ...["çeşitli talimatlar", "sentetik eğitim verisi", "instruksi yang beragam", "data pelatihan sintetis"],
    ...["多样化的指令", "多样化的任务", "多样的指令", "指令微调", "合成训练数据", "微调数据集"],
    ...["多様な指示", "多様なタスク", "合成学習データ", "다양한 지시", "다양한 명령", "합성 학습 데이터"],
  ],
  hints: [
    "task instructions",
    "seed tasks",
    "seed instructions",
    "instruction-response pairs",
    "instruction-output pairs",
    "question-answer pairs",
    "fine-tune",
    "fine-tuning",
    "noinput",
  ],
};
